// The textbook UDP server.
const server = require('dgram').createSocket('udp4');
server.on('message', (sentence, client) => server.send(sentence.toString().toUpperCase(), client.port, client.address));
server.bind(Number(process.argv[2]), '127.0.0.1', () => console.log('READY ' + server.address().port));
