// Asks a CoAP resource one question after the other with node-coap, for goodput.py: node_coap.js URL QUESTIONS SECONDS
// prints how many were answered and asked. NODE_PATH names the node_modules that has `coap`.
const coap = require('coap')

const [, , url, questions, seconds] = process.argv
const target = new URL(url)
const agent = new coap.Agent({ type: 'udp4' })
let answered = 0
let asked = 0

function end () {
  console.log(`${answered} ${asked}`)
  process.exit(0)
}

function ask () {
  if (asked === Number(questions)) {
    end()
  }
  const text = `question ${++asked}`
  let isOver = false
  function next () {
    if (!isOver) {
      isOver = true
      setImmediate(ask)
    }
  }
  const request = coap.request({
    hostname: target.hostname, port: Number(target.port), method: 'POST', pathname: target.pathname, agent
  })
  request.on('response', response => {
    if (response.payload.toString() === text.toUpperCase()) {
      answered++
    }
    next()
  })
  request.on('error', next)
  request.end(text)
}

setTimeout(end, Number(seconds) * 1000)
ask()
