// A member of a group: ../golang/contract/member.go says what it is told and what it prints.
import { createInterface } from 'node:readline'

const say = (word, what) => process.stdout.write(JSON.stringify({ [word]: what }) + '\n')

export const assigned = ids => { if (ids.length) say('assigned', ids) }
export const revoked = ids => { if (ids.length) say('revoked', ids) }
/** Messages are [partition, offset, value]. */
export const read = messages => { if (messages.length) say('read', messages) }
/** Offsets are the next one of each partition. */
export const committed = offsets => say('committed', offsets)

/** Runs join(told, leave) until the promise leave resolves and join has come to its end. */
export async function main (join) {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
  const told = JSON.parse((await lines.next()).value)
  const leave = lines.next().then(line => { if (line.done) process.exit(1) })
  try {
    await join(told, leave)
  } catch (e) {
    process.stderr.write(e.stack + '\n')
    say('error', e.message)
    process.exit(1)
  }
  say('left', true)
  process.stdout.write('', () => process.exit(0))
}
