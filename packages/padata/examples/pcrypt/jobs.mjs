// One packet of an encrypted stream. AES-256-GCM; the nonce is the stream's salt and the packet's place in the
// order, so packets cannot be swapped, and the "last" mark is authenticated, so the stream cannot be cut short.
//
//   plain    last (1) | bytes          sealed   last (1) | cipher text | tag (16)
import { createCipheriv, createDecipheriv } from 'node:crypto';

export const TAG = 16;

function nonceOf({ shared, seq }) {
  const nonce = Buffer.alloc(12);
  nonce.set(shared.salt);
  nonce.writeUInt32BE(Math.floor(seq / 2 ** 32), 4);
  nonce.writeUInt32BE(seq >>> 0, 8);
  return nonce;
}

export function seal(packet, context) {
  const mark = packet.subarray(0, 1);
  const cipher = createCipheriv('aes-256-gcm', context.shared.key, nonceOf(context));
  cipher.setAAD(mark);
  const output = context.output(packet.length + TAG);
  output.set(mark);
  output.set(cipher.update(packet.subarray(1)), 1);
  cipher.final();
  output.set(cipher.getAuthTag(), packet.length);
  return output;
}

export function open(packet, context) {
  const mark = packet.subarray(0, 1);
  const end = packet.length - TAG;
  const decipher = createDecipheriv('aes-256-gcm', context.shared.key, nonceOf(context));
  decipher.setAAD(mark);
  decipher.setAuthTag(packet.subarray(end));
  const output = context.output(end);
  output.set(mark);
  output.set(decipher.update(packet.subarray(1, end)), 1);
  decipher.final();
  return output;
}
