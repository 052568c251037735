/** The streams and the durable consumer: made where they are missing, checked where they are there, never destroyed. */
import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerInfo,
  DeliverPolicy,
  DiscardPolicy,
  type JetStreamManager,
  NatsError,
  nanos,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from 'nats'
import {
  DEAD_STREAM_MESSAGES_MAX,
  EVENTS_STREAM_MESSAGES_MAX,
  INTAKE_HELD_MAX,
  INTAKE_STREAM_MESSAGES_MAX,
  NATS_DUPLICATES_MS,
} from '../limits.js'
import { DEAD, DEAD_STREAM, EVENTS, EVENTS_STREAM, INTAKE, INTAKE_CONSUMER, INTAKE_STREAM } from './subjects.js'

/** What is lost with a connection or a process is asked for anew; so long only, and what waits for a partition comes again. */
const ACK_WAIT_MS = 30_000
const NOT_FOUND = 404

const kept = { storage: StorageType.File, allow_direct: true, duplicate_window: nanos(NATS_DUPLICATES_MS) }

/** A message goes once it is acknowledged; a full stream refuses what comes instead of forgetting what is there. */
const intake: Partial<StreamConfig> = {
  ...kept,
  name: INTAKE_STREAM,
  subjects: [`${INTAKE}.>`],
  retention: RetentionPolicy.Workqueue,
  discard: DiscardPolicy.New,
  max_msgs: INTAKE_STREAM_MESSAGES_MAX,
}
const dead: Partial<StreamConfig> = {
  ...kept,
  name: DEAD_STREAM,
  subjects: [`${DEAD}.>`],
  retention: RetentionPolicy.Limits,
  discard: DiscardPolicy.Old,
  max_msgs: DEAD_STREAM_MESSAGES_MAX,
}
const events: Partial<StreamConfig> = {
  ...kept,
  name: EVENTS_STREAM,
  subjects: [`${EVENTS}.>`],
  retention: RetentionPolicy.Limits,
  discard: DiscardPolicy.Old,
  max_msgs: EVENTS_STREAM_MESSAGES_MAX,
}

/** A stream of ours that was made by someone else, in a way that cannot be used; the sentence says what to do. */
export class UnfitStream extends Error {}

async function found<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof NatsError && error.api_error?.code === NOT_FOUND) return undefined
    throw error
  }
}

async function ensureStream(manager: JetStreamManager, config: Partial<StreamConfig>): Promise<StreamInfo> {
  const name = config.name!
  const known = await found(manager.streams.info(name))
  if (!known) return manager.streams.add(config)
  const { subjects, storage } = known.config
  const missing = config.subjects!.find((subject) => !subjects.includes(subject))
  if (missing !== undefined) {
    throw new UnfitStream(`The stream ${name} does not take ${missing}; give it that subject, or remove the stream`)
  }
  if (storage !== StorageType.File) {
    throw new UnfitStream(`The stream ${name} is in memory, where it outlives no restart; make it one of storage file`)
  }
  return known
}

export const ensureEvents = (manager: JetStreamManager): Promise<StreamInfo> => ensureStream(manager, events)

/** Who asked last for what may have been lost on its way. */
export type LastAsker = 'this process' | 'a predecessor'

export async function ensureIntake(manager: JetStreamManager, asker: LastAsker): Promise<StreamInfo> {
  await ensureStream(manager, dead)
  const stream = await ensureStream(manager, intake)
  const consumer = await found(manager.consumers.info(INTAKE_STREAM, INTAKE_CONSUMER))
  if (!consumer) await manager.consumers.add(INTAKE_STREAM, consumerConfig)
  else if (consumer.config.ack_policy !== AckPolicy.Explicit || consumer.config.deliver_subject) {
    throw new UnfitStream(
      `The consumer ${INTAKE_CONSUMER} of ${INTAKE_STREAM} has to pull and to acknowledge each message`,
    )
  } else if (hasLost(consumer, asker) && stream.config.retention === RetentionPolicy.Workqueue) {
    await startAgain(manager, consumer.config)
  }
  return stream
}

const consumerConfig: Partial<ConsumerConfig> = {
  durable_name: INTAKE_CONSUMER,
  ack_policy: AckPolicy.Explicit,
  ack_wait: nanos(ACK_WAIT_MS),
  deliver_policy: DeliverPolicy.All,
  max_deliver: -1,
  max_ack_pending: INTAKE_HELD_MAX,
}

/** Messages are out; a predecessor's may be lost only where nobody asks for more, who could have them. */
const hasLost = ({ num_ack_pending, num_waiting }: ConsumerInfo, asker: LastAsker): boolean =>
  num_ack_pending > 0 && (asker === 'this process' || num_waiting === 0)

/**
 * What was lost on its way would come back late, behind messages that were sent after it. A work queue holds what is not
 * acknowledged and nothing else, so a consumer made anew gives all of that in its order; what is in flight here is known
 * when it comes again.
 */
async function startAgain(manager: JetStreamManager, config: ConsumerConfig): Promise<void> {
  await manager.consumers.delete(INTAKE_STREAM, INTAKE_CONSUMER)
  const { ack_wait, max_deliver, max_ack_pending } = config
  await manager.consumers.add(INTAKE_STREAM, {
    ...consumerConfig,
    ...(ack_wait === undefined ? {} : { ack_wait }),
    ...(max_deliver === undefined ? {} : { max_deliver }),
    ...(max_ack_pending === undefined ? {} : { max_ack_pending }),
  })
}
