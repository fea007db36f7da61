// KafkaJS in the suite of foreign clients.
import zlib from 'node:zlib'
import kafkajs from 'kafkajs'
import snappy from 'kafkajs-snappy'
import lz4 from 'lz4-napi'
import * as member from './member.mjs'
import { Refused, Scenario, Unsupported } from './contract.mjs'

const { Kafka, CompressionTypes, CompressionCodecs, ConfigResourceTypes, logLevel } = kafkajs
// The library brings gzip; the others are plugged in by the application.
CompressionCodecs[CompressionTypes.Snappy] = snappy
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: encoder => lz4.compressFrame(encoder.buffer), decompress: buffer => lz4.decompressFrame(buffer)
})
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: async encoder => zlib.zstdCompressSync(encoder.buffer), decompress: async buffer => zlib.zstdDecompressSync(buffer)
})

/** Turns the library's errors into Refused, where they carry the server's code. */
async function checked (work) {
  try {
    return await work
  } catch (e) {
    for (let inner = e; inner; inner = inner.cause ?? inner.errors?.[0] ?? inner.originalError) {
      if (inner.name === 'KafkaJSDeleteTopicRecordsError') inner = inner.partitions[0].error
      if (inner.code > 0) throw new Refused(inner.code, inner.type)
    }
    throw e
  }
}

class KafkaJS extends Scenario {
  name = 'kafkajs'
  // The library can't send a header without a value.
  adapt = r => ({ ...r, headers: r.headers.map(([k, v]) => [k, v ?? Buffer.from('not null')]) })

  async connect (bootstrap) {
    this.kafka = new Kafka({ brokers: bootstrap.split(','), logLevel: logLevel.NOTHING, retry: { retries: 3, initialRetryTime: 50 } })
    this.admin = this.kafka.admin()
    await this.admin.connect()
  }

  close = () => this.admin.disconnect()
  brokers = async () => (await this.admin.describeCluster()).brokers.length

  createTopic = (topic, numPartitions, replicationFactor, configs) => checked(this.admin.createTopics({
    waitForLeaders: false,
    topics: [{ topic, numPartitions, replicationFactor, configEntries: Object.entries(configs).map(([name, value]) => ({ name, value })) }]
  })).then(created => { if (!created) throw new Refused(36, 'createTopics resolved to false: the topic exists') })

  deleteTopic = topic => checked(this.admin.deleteTopics({ topics: [topic] }))
  topics = () => this.admin.listTopics()

  describe = async topic => (await checked(this.admin.fetchTopicMetadata({ topics: [topic] }))).topics[0].partitions.map(p => (
    { partition: p.partitionId, leader: p.leader, replicas: p.replicas.length, isr: p.isr.length }))

  createPartitions = (topic, count) => checked(this.admin.createPartitions({ topicPartitions: [{ topic, count }] }))

  config = async (name, key) => {
    const answer = await checked(this.admin.describeConfigs({ includeSynonyms: false, resources: [{ type: ConfigResourceTypes.TOPIC, name, configNames: [key] }] }))
    const entry = answer.resources[0].configEntries[0]
    return [entry.configValue, String(entry.configSource)]
  }

  setConfig = (name, key, value) => checked(this.admin.alterConfigs({
    validateOnly: false, resources: [{ type: ConfigResourceTypes.TOPIC, name, configEntries: [{ name: key, value }] }]
  }))

  // The library does not give the answer's low watermark: ask for the new start. It first asks all partitions for
  // their offsets, and those created a moment ago may have no leader yet.
  deleteRecords = async (topic, partition, before) => {
    for (let tries = 0; ; tries++) {
      try {
        await checked(this.admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(before) }] }))
        return (await this.bounds(topic, partition))[0]
      } catch (e) {
        if (e.code !== 6 || tries === 50) throw e
        await new Promise(resolve => setTimeout(resolve, 100))
      }
    }
  }

  bounds = async (topic, partition) => {
    const found = (await checked(this.admin.fetchTopicOffsets(topic))).find(p => p.partition === partition)
    return [Number(found.low), Number(found.high)]
  }

  unknown = async topic => { await this.describe(topic) }

  // The library gives the end when no record is that young.
  offsetAt = async (topic, partition, ms) => {
    const offset = Number((await checked(this.admin.fetchTopicOffsetsByTimestamp(topic, ms))).find(p => p.partition === partition).offset)
    return offset === (await this.bounds(topic, partition))[1] ? -1 : offset
  }

  produce = async (topic, records, { codec, acks, idempotent }) => {
    const producer = this.kafka.producer({ idempotent, maxInFlightRequests: 1, createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
    await producer.connect()
    const compression = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 }[codec]
    try {
      // A request of the library holds all that send() is given: a few records at a time stay under the limit.
      for (let i = 0; i < records.length; i += 3) {
        const messages = records.slice(i, i + 3).map(r => ({
          partition: r.partition, key: r.key, value: r.value, timestamp: String(r.ms), headers: plain(r.headers)
        }))
        await checked(producer.send({ topic, acks, compression, messages }))
      }
    } finally {
      await producer.disconnect()
    }
  }

  join = async (bootstrap, told, leave) => {
    const kafka = new Kafka({ brokers: bootstrap.split(','), logLevel: logLevel.NOTHING, retry: { retries: 100, initialRetryTime: 100, maxRetryTime: 500 } })
    const c = kafka.consumer({ groupId: told.group, sessionTimeout: told.sessionMs, heartbeatInterval: 500, rebalanceTimeout: 20_000, maxWaitTimeInMs: 100 })
    let mine = []
    const givenUp = () => { member.revoked(mine); mine = [] }
    c.on(c.events.GROUP_JOIN, e => {
      givenUp()
      mine = e.payload.memberAssignment[told.topic] ?? []
      member.assigned(mine)
    })
    c.on(c.events.REBALANCING, givenUp)
    await c.connect()
    await c.subscribe({ topic: told.topic, fromBeginning: true })
    await c.run({
      autoCommit: false,
      eachBatch: async ({ batch, isRunning, isStale }) => {
        if (!isRunning() || isStale()) return
        member.read(batch.messages.map(m => [batch.partition, Number(m.offset), m.value.toString()]))
        const offset = Number(batch.lastOffset()) + 1
        await c.commitOffsets([{ topic: batch.topic, partition: batch.partition, offset: String(offset) }])
        member.committed({ [batch.partition]: offset })
      }
    })
    await leave
    await c.disconnect()
    givenUp()
  }

  consume = async () => { throw new Unsupported('KafkaJS consumes only inside a group') }
}

/** Headers are an object: one name twice is an array. */
function plain (headers) {
  const out = {}
  for (const [k, v] of headers) out[k] = k in out ? [].concat(out[k], [v]) : v
  return out
}

await new KafkaJS().main()
