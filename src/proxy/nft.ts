import type { Logger } from "#base/log.ts";
import type { Processes } from "#base/processes.ts";

/** Takes nftables transactions, each whole or not at all. */
export interface RulesetWriter {
  /** Errors: with what nft said. */
  apply(transaction: string): Promise<void>;
}

/** Writes through the `nft` program, in this process' own network namespace. */
export function createNftWriter(spec: {
  readonly processes: Processes;
  readonly log: Logger;
}): RulesetWriter {
  return {
    async apply(transaction) {
      const { code, stderr } = await spec.processes.run("nft", ["-f", "-"], { input: `${transaction}\n` });
      if (code === 0) return;
      spec.log.error("nft refused a transaction", stderr.trim(), { transaction: transaction.slice(0, 2000) });
      throw new Error(`nft: ${stderr.trim().split("\n")[0] ?? ""}`);
    },
  };
}
