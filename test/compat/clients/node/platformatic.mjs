// @platformatic/kafka in the suite of foreign clients. Its consumer's high-level stream joins a group; fetch() below
// it does not, and is what reads here.
import { Admin, Consumer, Producer } from '@platformatic/kafka'
import * as member from './member.mjs'
import { Refused, Scenario } from './contract.mjs'

/** Turns the library's errors into Refused, where they carry the server's code. */
async function checked (work) {
  try {
    return await work
  } catch (e) {
    const code = find(e)
    if (code !== undefined) throw new Refused(code, e.message)
    // Metadata of an unknown topic has no code of the server's left in it.
    if (/^Unknown topic /.test(e.message)) throw new Refused(3, e.message)
    throw e
  }
}

function find (e) {
  if (e?.apiCode > 0) return e.apiCode
  for (const inner of [...(e?.errors ?? []), e?.cause]) {
    const code = inner && find(inner)
    if (code !== undefined) return code
  }
}

class Platformatic extends Scenario {
  name = 'platformatic'

  async connect (bootstrap) {
    this.options = { clientId: 'compat', bootstrapBrokers: bootstrap.split(','), retries: 3, retryDelay: 50, metadataMaxAge: 0, autocreateTopics: false }
    this.admin = new Admin(this.options)
    // The group only names the consumer: fetch() joins nothing and nothing is committed.
    this.consumer = new Consumer({ ...this.options, groupId: 'none' })
  }

  close = async () => {
    await this.consumer.close(true)
    await this.admin.close()
  }

  metadata = topics => checked(this.admin.metadata({ topics, forceUpdate: true, autocreateTopics: false }))
  brokers = async () => (await this.metadata([])).brokers.size

  createTopic = (topic, partitions, replicas, configs) => checked(this.admin.createTopics({
    topics: [topic], partitions, replicas, configs: Object.entries(configs).map(([name, value]) => ({ name, value }))
  }))

  deleteTopic = topic => checked(this.admin.deleteTopics({ topics: [topic] }))
  topics = () => this.admin.listTopics()

  describe = async topic => (await this.metadata([topic])).topics.get(topic).partitions.map((p, i) => (
    { partition: i, leader: p.leader, replicas: p.replicas.length, isr: p.isr.length }))

  createPartitions = (name, count) => checked(this.admin.createPartitions({ topics: [{ name, count, assignments: null }] }))

  config = async (resourceName, key) => {
    const [found] = await checked(this.admin.describeConfigs({ resources: [{ resourceType: 2, resourceName, configurationKeys: [key] }] }))
    return [found.configs[0].value, String(found.configs[0].configSource)]
  }

  setConfig = (resourceName, name, value) => checked(this.admin.incrementalAlterConfigs({
    resources: [{ resourceType: 2, resourceName, configs: [{ name, configOperation: 0, value }] }]
  }))

  deleteRecords = async (name, partition, before) => {
    const [t] = await checked(this.admin.deleteRecords({ topics: [{ name, partitions: [{ partition, offset: BigInt(before) }] }] }))
    return Number(t.partitions[0].lowWatermark)
  }

  list = async (name, partitionIndex, timestamp) => {
    const [t] = await checked(this.admin.listOffsets({ topics: [{ name, partitions: [{ partitionIndex, timestamp: BigInt(timestamp) }] }] }))
    return Number(t.partitions[0].offset)
  }

  bounds = async (topic, partition) => [await this.list(topic, partition, -2), await this.list(topic, partition, -1)]
  unknown = async topic => { await this.metadata([topic]) }
  offsetAt = (topic, partition, ms) => this.list(topic, partition, ms)

  produce = async (topic, records, { codec, acks, idempotent }) => {
    const producer = new Producer({ ...this.options, maxInflights: 1 })
    try {
      for (let i = 0; i < records.length; i += 3) {
        const messages = records.slice(i, i + 3).map(r => ({
          topic, partition: r.partition, key: r.key, value: r.value, timestamp: BigInt(r.ms),
          // header names are bytes, too, and so may repeat in a Map
          headers: new Map(r.headers.map(([k, v]) => [Buffer.from(k), v]))
        }))
        await checked(producer.send({ messages, acks, compression: codec, idempotent }))
      }
    } finally {
      await producer.close()
    }
  }

  consume = async (topic, partition, from, end) => {
    const metadata = await this.metadata([topic])
    const { id: topicId, partitions } = metadata.topics.get(topic)
    const got = []
    const deadline = Date.now() + 20_000
    for (let offset = from; Date.now() < deadline;) {
      const answer = await checked(this.consumer.fetch({
        node: partitions[partition].leader, minBytes: 1, maxBytes: 4 << 20, maxWaitTime: 50, isolationLevel: 0,
        topics: [{ topicId, partitions: [{ partition, currentLeaderEpoch: -1, fetchOffset: BigInt(offset), lastFetchedEpoch: -1, partitionMaxBytes: 4 << 20 }] }]
      }))
      const p = answer.responses[0]?.partitions[0]
      if (!p) continue // nothing new in this fetch session
      if (p.errorCode) throw new Refused(p.errorCode)
      for (const batch of p.records ?? []) {
        for (const r of batch.records) {
          const o = Number(batch.firstOffset) + r.offsetDelta
          if (o < offset) continue // a fetch gives whole batches
          got.push({
            partition, offset: o, ms: Number(batch.firstTimestamp + r.timestampDelta), key: r.key, value: r.value,
            headers: r.headers.map(([k, v]) => [k.toString(), v])
          })
          offset = o + 1
          if (o >= end - 1) return got
        }
      }
    }
    throw new Error(`nothing more after ${got.length} records`)
  }

  join = async (bootstrap, told, leave) => {
    const c = new Consumer({
      clientId: 'compat', bootstrapBrokers: bootstrap.split(','), groupId: told.group, sessionTimeout: told.sessionMs, heartbeatInterval: 500,
      groupProtocol: told.mode === 'consumer' ? 'consumer' : 'classic',
      rebalanceTimeout: 20_000, autocommit: false, maxWaitTime: 100, retries: 100, retryDelay: 100
    })
    let mine = []
    let done = new Map() // by partition: the offset behind the last commit since this member joined
    let joined = Promise.withResolvers()
    const givenUp = () => {
      if (mine.length) joined = Promise.withResolvers()
      member.revoked(mine)
      mine = []
    }
    c.on('consumer:group:rebalance', givenUp)
    c.on('consumer:group:join', ({ assignments }) => {
      givenUp()
      mine = assignments?.find(a => a.topic === told.topic)?.partitions ?? []
      done = new Map()
      member.assigned(mine)
      joined.resolve()
    })
    const stream = await c.consume({ topics: [told.topic], mode: 'committed', fallbackMode: 'earliest' })
    leave.then(() => stream.close())
    for await (const m of stream) {
      // What was fetched before a rebalance is still in the stream after it.
      if (told.mode !== 'consumer') {
        await joined.promise
        if (!mine.includes(m.partition)) continue
      }
      const offset = Number(m.offset)
      // The library asks for the committed offset, and then still hands out what it had fetched before: what is committed of that
      // comes a second time. With Apache Kafka it does so in most runs.
      if (offset < done.get(m.partition)) continue
      member.read([[m.partition, offset, m.value.toString()]])
      if (offset % 20) continue
      try {
        await m.commit()
        done.set(m.partition, offset + 1)
        member.committed({ [m.partition]: offset + 1 })
      } catch { } // a rebalance came before, or the server is away: it is read again
    }
    await c.close(true)
    givenUp()
  }
}

await new Platformatic().main()
