// The textbook TCP server: answers each chunk as it comes, whatever it is a part of.
const server = require('net').createServer((connection) => {
  connection.on('data', (sentence) => connection.write(sentence.toString().toUpperCase()));
  connection.on('error', () => connection.destroy());
});
server.listen(Number(process.argv[2]), '127.0.0.1', () => console.log('READY ' + server.address().port));
