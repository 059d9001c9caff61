// The textbook TCP client.
const net = require('net');
const sentence = require('fs').readFileSync(0);
const server = net.connect(process.argv[3], process.argv[2], () => server.write(sentence));
server.once('data', (modified) => {
  console.log('FROM SERVER: ' + modified.toString().replace(/[\r\n\0]+$/, ''));
  server.end();
});
server.on('error', (error) => { console.error(error.message); process.exit(1); });
