/**
 * The consumer that all workers of a module share: its position in the stream of jobs, and what is given and not acknowledged.
 */
import { isNotFound, serverError } from './streams.js';
import type { Engine } from './streams.js';

const NANOS = 1e6;

/**
 * Makes the consumer, where it is missing. One that is there keeps the time that it was made with.
 * @param ackWaitMs time without a sign of life after which a message goes to another worker, if it has to be made
 * @returns that time as it is, in milliseconds
 */
export async function ensureConsumer(
  { jsm, names }: Engine,
  token: string,
  ackWaitMs: number,
): Promise<number> {
  const durable = names.consumer(token);
  try {
    const { config } = await jsm.consumers.info(names.jobsStream, durable);
    return (config.ack_wait ?? ackWaitMs * NANOS) / NANOS;
  } catch (error) {
    if (!isNotFound(error))
      throw serverError('the server tells nothing about its consumers', error);
    try {
      const { config } = await jsm.consumers.add(names.jobsStream, {
        durable_name: durable,
        ack_policy: 'explicit',
        ack_wait: ackWaitMs * NANOS,
        // The worker counts: after the last delivery the server would say nothing to anybody.
        max_deliver: -1,
        max_ack_pending: -1,
        filter_subject: names.jobsOf(token),
      });
      return (config.ack_wait ?? ackWaitMs * NANOS) / NANOS;
    } catch (second) {
      throw serverError('the server refuses a consumer', second);
    }
  }
}

/**
 * Takes a consumer away whose position lies behind the end of its stream, so that it is made anew. A server that lost the last messages of the
 * stream gives their numbers again, and such a consumer would pass over whatever gets them.
 *
 *     stream     1 … 75 │ 76 77 …    the next numbers
 *     consumer   acknowledged up to 80, given up to 92: 76 to 92 go to nobody
 *
 * What is acknowledged and still there, as after a full disk, is taken away before: the new consumer begins with the first message.
 * @throws what the server says
 */
export async function mendConsumer({ jsm, names }: Engine, token: string): Promise<void> {
  const durable = names.consumer(token);
  // The consumer first: the stream only grows meanwhile.
  const { delivered, ack_floor: floor } = await jsm.consumers.info(names.jobsStream, durable);
  const { state } = await jsm.streams.info(names.jobsStream);
  if (delivered.stream_seq <= state.last_seq) return;
  const acknowledged = Math.min(floor.stream_seq, state.last_seq);
  if (acknowledged > 0 && state.messages > 0) {
    const filter = names.jobsOf(token);
    await jsm.streams.purge(names.jobsStream, { filter, seq: acknowledged + 1 });
  }
  await jsm.consumers.delete(names.jobsStream, durable);
}
