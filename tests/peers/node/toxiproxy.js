// toxiproxy's client for Node rules the proxies. Arguments: the folder it is installed in, the API's address, the upstream's.
const net = require('net');
const { Toxiproxy } = require(process.argv[2] + '/node_modules/toxiproxy-node-client');
const api = new Toxiproxy(process.argv[3]);
const upstream = process.argv[4];

function ask(listen) {
  return new Promise((resolve) => {
    const [host, port] = listen.split(':');
    const began = process.hrtime.bigint();
    let came = '';
    const socket = net.connect(Number(port), host, () => socket.write('hello\n'));
    const end = (how) => { socket.destroy(); resolve([how ?? came.trim(), Number(process.hrtime.bigint() - began) / 1e6]); };
    socket.on('data', (data) => { came += data; if (came.endsWith('\n')) end(); });
    socket.on('end', () => end(came + ' and the end'));
    socket.on('error', (error) => end(error.code));
  });
}

async function main() {
  console.log('version', (await api.getVersion()).trim());
  const proxy = await api.createProxy({ name: 'demo', listen: '127.0.0.1:0', upstream });
  console.log('created', proxy.name, proxy.enabled, proxy.upstream === upstream);
  console.log('asked', (await ask(proxy.listen))[0]);

  const latency = await proxy.addToxic({ type: 'latency', name: '', stream: 'downstream', toxicity: 1, attributes: { latency: 200, jitter: 0 } });
  console.log('toxic', latency.name, latency.type, latency.stream, latency.toxicity, latency.attributes.latency);
  let [answer, took] = await ask(proxy.listen);
  console.log('late', answer, took >= 199);
  await latency.update({ attributes: { latency: 400 }, toxicity: 1 });
  [answer, took] = await ask(proxy.listen);
  console.log('later', answer, took >= 399, (await proxy.getToxic('latency_downstream')).attributes.latency);
  await latency.remove();
  console.log('well', (await ask(proxy.listen))[0]);

  await proxy.addToxic({ type: 'limit_data', name: 'three', stream: 'downstream', toxicity: 1, attributes: { bytes: 3 } });
  console.log('limited', (await ask(proxy.listen))[0]);
  await proxy.addToxic({ type: 'reset_peer', name: 'never', stream: 'upstream', toxicity: 0, attributes: { timeout: 0 } });
  console.log('toxicity 0', (await ask(proxy.listen))[0]);
  await api.reset();
  console.log('reset', (await ask(proxy.listen))[0]);
  await proxy.addToxic({ type: 'reset_peer', name: 'always', stream: 'downstream', toxicity: 1, attributes: { timeout: 0 } });
  console.log('reset_peer', (await ask(proxy.listen))[0]);
  await api.reset();

  await proxy.update({ enabled: false, listen: proxy.listen, upstream });
  console.log('down', (await ask(proxy.listen))[0]);
  await proxy.update({ enabled: true, listen: proxy.listen, upstream });
  console.log('up', (await ask(proxy.listen))[0]);

  await api.populate([{ name: 'demo', listen: proxy.listen, upstream }, { name: 'other', listen: '127.0.0.1:0', upstream }]);
  console.log('all', Object.keys(await api.getAll()).sort().join(' '));
  await (await api.get('other')).remove();
  console.log('left', Object.keys(await api.getAll()).join(' '));
  await api.get('other').catch((error) => console.log('missing', /404/.test(error.message)));
}

main().catch((error) => { console.error(error); process.exit(1); });
