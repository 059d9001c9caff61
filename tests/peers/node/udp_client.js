// The textbook UDP client.
const client = require('dgram').createSocket('udp4');
const sentence = require('fs').readFileSync(0);
client.once('message', (modified) => {
  console.log('FROM SERVER: ' + modified.toString().replace(/[\r\n\0]+$/, ''));
  client.close();
});
client.send(sentence, Number(process.argv[3]), process.argv[2]);
