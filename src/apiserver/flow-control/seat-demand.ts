/** What a priority level wanted over a time: executing and waiting seats. */
export interface DemandPeriod {
  /** Both weighted by time; 0 for a period without length. */
  readonly averageSeats: number;
  readonly deviationSeats: number;
  readonly maxSeats: number;
}

/** Integrates the seats that a level wants over time. Source: flowcontrol/fairqueuing/integrator.go. */
export class SeatDemand {
  #seats = 0;
  #maxSeats = 0;
  #sinceMs: number;
  #elapsedMs = 0;
  #sum = 0;
  #sumOfSquares = 0;

  constructor(nowMs: number) {
    this.#sinceMs = nowMs;
  }

  set(seats: number, nowMs: number): void {
    this.#advance(nowMs);
    this.#seats = seats;
    if (seats > this.#maxSeats) this.#maxSeats = seats;
  }

  /** Ends the period and begins the next. */
  take(nowMs: number): DemandPeriod {
    this.#advance(nowMs);
    const average = this.#elapsedMs > 0 ? this.#sum / this.#elapsedMs : 0;
    const variance = this.#elapsedMs > 0 ? this.#sumOfSquares / this.#elapsedMs - average * average : 0;
    const period = {
      averageSeats: average,
      deviationSeats: Math.sqrt(Math.max(0, variance)),
      maxSeats: this.#maxSeats,
    };
    this.#elapsedMs = this.#sum = this.#sumOfSquares = 0;
    this.#maxSeats = this.#seats;
    return period;
  }

  #advance(nowMs: number): void {
    const passedMs = nowMs - this.#sinceMs;
    this.#sinceMs = nowMs;
    this.#elapsedMs += passedMs;
    this.#sum += passedMs * this.#seats;
    this.#sumOfSquares += passedMs * this.#seats * this.#seats;
  }
}
