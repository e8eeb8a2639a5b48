import type { Logger } from "#base/log.ts";
import type { Processes } from "#base/processes.ts";

/** Takes nftables transactions, each whole or not at all. */
export interface RulesetWriter {
  /** Errors: with what nft said. */
  apply(transaction: string): Promise<void>;
}

/** Writes through the `nft` program, in the network namespace that `enter` leads to. */
export function createNftWriter(spec: {
  readonly processes: Processes;
  /** Words before the command; none for this process' own namespace. */
  readonly enter: readonly string[];
  readonly log: Logger;
}): RulesetWriter {
  const [program = "nft", ...args] = [...spec.enter, "nft", "-f", "-"];
  return {
    async apply(transaction) {
      const { code, stderr } = await spec.processes.run(program, args, { input: `${transaction}\n` });
      if (code === 0) return;
      spec.log.error("nft refused a transaction", stderr.trim(), { transaction: transaction.slice(0, 2000) });
      throw new Error(`nft: ${stderr.trim().split("\n")[0] ?? ""}`);
    },
  };
}
