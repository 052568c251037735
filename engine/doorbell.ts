/**
 * A doorbell: how a producer wakes a consumer thread that sleeps, and does nothing where it is awake. The consumer
 * announces its sleep, looks at its mailboxes once more, then sleeps; so no ring is lost between the look and the sleep.
 */
export interface DoorbellMemory {
  shared: SharedArrayBuffer
}

const AWAKE = 0
const ASLEEP = 1

export const makeDoorbell = (): DoorbellMemory => ({ shared: new SharedArrayBuffer(4) })

export class Doorbell {
  private readonly state: Int32Array

  /** `wake` is for a consumer with an event loop, which cannot sleep in `Atomics.wait`: it posts it a message. */
  constructor(
    memory: DoorbellMemory,
    private readonly wake?: () => void,
  ) {
    this.state = new Int32Array(memory.shared)
  }

  /** Producer: wakes the consumer where it sleeps. */
  ring(): void {
    if (Atomics.load(this.state, 0) !== ASLEEP) return
    if (Atomics.compareExchange(this.state, 0, ASLEEP, AWAKE) !== ASLEEP) return
    if (this.wake) this.wake()
    else Atomics.notify(this.state, 0)
  }

  /** Consumer: from here on a producer rings. Look at the mailboxes once more before sleeping. */
  announceSleep(): void {
    Atomics.store(this.state, 0, ASLEEP)
  }

  /** Consumer: something was there after all, or the sleep is over. */
  announceAwake(): void {
    Atomics.store(this.state, 0, AWAKE)
  }

  /** Consumer thread without an event loop: sleeps until rung or `milliseconds` have passed. */
  sleep(milliseconds: number): void {
    Atomics.wait(this.state, 0, ASLEEP, milliseconds)
    this.announceAwake()
  }
}
