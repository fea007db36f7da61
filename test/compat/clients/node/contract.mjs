// What the suite asks of every JavaScript client: the scenario, written once, over the methods that a client has.
// The steps, their names and the form of their results are those of ../golang/contract, which says the rules.
import { main as member } from './member.mjs'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const REPLICAS = Number(process.env.COMPAT_REPLICAS ?? 1) // of each topic
const HURT = Boolean(process.env.COMPAT_HURT) // servers come and go
// The data set's timestamps lie in the past, and retention must not take them.
const KEEP = { 'retention.ms': '-1' }

/**
 * Where servers come and go, a step whose library gave up is tried again for a while, as its user would; but for those that write,
 * since what is written twice is there twice.
 */
async function tried (step, f) {
  const began = Date.now()
  for (let tries = 1; ; tries++) {
    try {
      return [await f(), tries]
    } catch (e) {
      if (e instanceof Unsupported || !HURT || step.startsWith('produce/') || Date.now() - began > 20_000) throw e
    }
    await new Promise(resolve => setTimeout(resolve, 200))
  }
}

/** Makes a step count as skipped, for a reason that is printed. */
export class Unsupported extends Error {}

/** An error that the server answered. */
export class Refused extends Error {
  constructor (code, text = '') {
    super(`${code} ${text}`)
    this.code = code
  }
}

const bytes = s => (s === null ? null : Buffer.from(s, 'base64'))
const hex = b => (b === null || b === undefined ? '~' : Buffer.from(b).toString('hex'))

/** Reads records.jsonl and numbers the records of each partition from 0, as a new topic will. */
function load (dir) {
  const next = {}
  return readFileSync(join(dir, 'records.jsonl'), 'utf8').trimEnd().split('\n').map(line => {
    const d = JSON.parse(line)
    const offset = next[d.p] ?? 0
    next[d.p] = offset + 1
    return {
      partition: d.p, offset, ms: d.t, key: bytes(d.k), value: bytes(d.v), headers: d.h.map(([k, v]) => [k, bytes(v)])
    }
  })
}

/** The loose hash takes null for empty, for libraries that can't tell them apart. */
export function digest (records) {
  const content = createHash('sha256')
  const loose = createHash('sha256')
  const times = createHash('sha256')
  for (const r of [...records].sort((a, b) => a.partition - b.partition || a.offset - b.offset)) {
    const headers = r.headers.map(([k, v]) => `${k}=${hex(v)};`).join('')
    const line = `${r.partition}|${r.offset}|${hex(r.key)}|${hex(r.value)}|${headers}\n`
    content.update(line)
    loose.update(line.replaceAll('~', ''))
    times.update(`${r.partition}|${r.offset}|${r.ms}\n`)
  }
  const short = h => h.digest('hex').slice(0, 16)
  return { count: records.length, hash: short(content), loose: short(loose), times: short(times) }
}

async function refused (f) {
  try {
    await f()
  } catch (e) {
    if (e instanceof Refused) return { code: e.code }
    throw e
  }
  throw new Error('accepted')
}

/** Repeats f until it gives what is wanted: metadata takes some milliseconds to become visible. */
async function eventually (want, f) {
  const deadline = Date.now() + 30_000
  for (;;) {
    try {
      const got = await f()
      if (want(got) || Date.now() > deadline) return got
    } catch (e) {
      if (e instanceof Unsupported || Date.now() > deadline) throw e
    }
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

const missing = what => async () => { throw new Unsupported(what) }

/** One run of one client. A client overrides what its library can do; the rest is skipped. */
export class Scenario {
  name = ''
  // What a library makes of a record before it sends it: some can't send null where the protocol can.
  adapt = record => record

  brokers = missing('no such call')
  createTopic = missing('no admin client')
  deleteTopic = missing('no admin client')
  topics = missing('no such call')
  describe = missing('no such call')
  createPartitions = missing('no such call')
  config = missing('no such call')
  setConfig = missing('no such call')
  deleteRecords = missing('no such call')
  bounds = missing('no such call')
  offsetAt = missing('no such call')
  produce = missing('no producer')
  consume = missing('no consumer')
  unknown = topic => this.bounds(topic, 0)
  close = async () => {}

  async step (name, f) {
    const line = { step: name }
    try {
      const [result, tries] = await tried(name, f)
      line.result = result
      if (tries > 1) line.tries = tries
    } catch (e) {
      if (e instanceof Unsupported) line.skip = e.message
      else line.error = `${e.name}: ${e.message}`
      if (e instanceof Refused) line.code = e.code
    }
    process.stdout.write(JSON.stringify(line) + '\n')
  }

  topic (suffix) { return `${this.name}.${suffix}` }

  async mine () {
    const prefix = this.name + '.'
    return (await this.topics()).filter(t => t.startsWith(prefix)).map(t => t.slice(prefix.length)).sort()
  }

  async all (topic, partition) {
    const [start, end] = await this.bounds(topic, partition)
    return start === end ? [] : await this.consume(topic, partition, start, end)
  }

  async digest (topic) {
    const got = []
    for (let p = 0; p < 3; p++) got.push(...await this.all(topic, p))
    return digest(got)
  }

  async main () {
    const [bootstrap, which, dir] = process.argv.slice(2)
    if (!dir) {
      process.stderr.write('usage: PROGRAM BOOTSTRAP SCENARIO DIR\n')
      process.exit(2)
    }
    if (which === 'member') return member((told, leave) => this.join(bootstrap, told, leave))
    this.records = load(dir).map(this.adapt)
    await this.connect(bootstrap)
    if (which === 'full') await this.full()
    else if (which === 'read') {
      for (const t of readFileSync(join(dir, 'read.txt'), 'utf8').split(/\s+/).filter(Boolean)) {
        await this.step('read/' + t, () => this.digest(t))
      }
    } else throw new Error(`unknown scenario ${which}`)
    await this.close()
  }

  async full () {
    await this.doTopics()
    await this.doProduce()
    await this.doConsume()
    await this.doSeek()
    await this.doConfigs()
    await this.doShrink()
  }

  async doTopics () {
    await this.step('cluster', async () => ({ brokers: await this.brokers() }))
    const wanted = ['main', 'acks0', 'acks1', 'idempotent', ...CODECS].sort()
    await this.step('create', async () => {
      for (const t of wanted) await this.createTopic(this.topic(t), 3, REPLICAS, KEEP)
      return wanted.length
    })
    await this.step('create/duplicate', () => refused(() => this.createTopic(this.topic('main'), 3, REPLICAS, KEEP)))
    await this.step('create/bad-name', () => refused(() => this.createTopic('bad name!', 3, REPLICAS, KEEP)))
    await this.step('create/bad-replication', () => refused(() => this.createTopic(this.topic('rf'), 3, REPLICAS + 2, KEEP)))
    await this.step('create/bad-config', () => refused(() => this.createTopic(this.topic('cfg'), 3, REPLICAS, { 'no.such.key': '1' })))
    await this.step('list', () => eventually(got => got.length === wanted.length, () => this.mine()))
    await this.step('describe', () => eventually(got => got.length === 3, async () =>
      (await this.describe(this.topic('main'))).sort((a, b) => a.partition - b.partition)))
  }

  async doProduce () {
    const send = (step, suffix, how) => this.step(step, async () => {
      await this.produce(this.topic(suffix), this.records, { codec: 'none', acks: -1, idempotent: HURT && how.acks === undefined, ...how })
      return digest(this.records)
    })
    for (const codec of CODECS) await send('produce/' + codec, codec, { codec })
    await send('produce/acks0', 'acks0', { acks: 0 })
    await send('produce/acks1', 'acks1', { acks: 1 })
    await send('produce/idempotent', 'idempotent', { idempotent: true })
    await send('produce/main', 'main', {})
    const huge = { partition: 0, ms: this.records[0].ms, key: null, value: Buffer.alloc(2 << 20, 'x'), headers: [] }
    await this.step('produce/too-large', () => refused(() =>
      this.produce(this.topic('main'), [huge], { codec: 'none', acks: -1, idempotent: false })))
  }

  async doConsume () {
    for (const t of ['acks1', 'idempotent', 'main', ...CODECS]) {
      await this.step('consume/' + t, () => this.digest(this.topic(t)))
    }
    await this.step('consume/acks0', () => eventually(got => got.count === this.records.length,
      () => this.digest(this.topic('acks0'))))
  }

  async doSeek () {
    const main = this.topic('main')
    await this.step('offsets', async () => {
      const all = []
      for (let p = 0; p < 3; p++) all.push(await this.bounds(main, p))
      return all
    })
    await this.step('seek/offset', async () => {
      const got = await this.consume(main, 1, 5, 9)
      return { first: got[0].offset, digest: digest(got) }
    })
    await this.step('seek/time', async () => {
      const t = this.records.filter(r => r.partition === 1).map(r => r.ms)
      const found = []
      for (const ms of [t[0] - 1000, t[7], t[7] + 1, t.at(-1) + 1000]) found.push(await this.offsetAt(main, 1, ms))
      return found
    })
    await this.step('consume/out-of-range', () => refused(() => this.consume(main, 0, 1_000_000, 1_000_001)))
    await this.step('consume/unknown-topic', () => refused(() => this.unknown(this.topic('nowhere'))))
  }

  async doConfigs () {
    const main = this.topic('main')
    const describe = async key => {
      const [value, source] = await this.config(main, key)
      return { value, source }
    }
    await this.step('configs/set-at-creation', () => describe('retention.ms'))
    await this.step('configs/default', () => describe('segment.bytes'))
    await this.step('configs/alter', async () => {
      await this.setConfig(main, 'retention.bytes', '123456789')
      return eventually(got => got.value === '123456789', () => describe('retention.bytes'))
    })
    await this.step('configs/alter-bad-value', () => refused(() => this.setConfig(main, 'segment.bytes', '-5')))
  }

  async doShrink () {
    const main = this.topic('main')
    await this.step('partitions/create', async () => {
      await this.createPartitions(main, 5)
      return eventually(n => n === 5, async () => (await this.describe(main)).length)
    })
    await this.step('partitions/fewer', () => refused(() => this.createPartitions(main, 2)))
    await this.step('records/delete', async () => ({ low: await this.deleteRecords(main, 0, 7) }))
    await this.step('records/after', async () => {
      const [start] = await this.bounds(main, 0)
      const got = await this.all(main, 0)
      return { start, first: got[0].offset, digest: digest(got) }
    })
    await this.step('records/too-far', () => refused(() => this.deleteRecords(main, 0, 1_000_000)))
    await this.step('delete', async () => {
      await this.deleteTopic(main)
      return eventually(got => !got.includes('main'), () => this.mine())
    })
    await this.step('delete/unknown', () => refused(() => this.deleteTopic(this.topic('never'))))
  }
}
