/** A group version that another server serves. */
export interface RemoteVersion {
  readonly group: string;
  readonly version: string;
  readonly groupPriority: number;
  readonly versionPriority: number;
  /** In the form of aggregated discovery; empty while the other server does not tell. */
  readonly resources: readonly object[];
  /** False while the other server does not tell. */
  readonly isFresh: boolean;
}

export interface RemoteGroups {
  /** Changes with what `versions` gives. */
  readonly generation: number;
  versions(): readonly RemoteVersion[];
}

export const noRemoteGroups: RemoteGroups = { generation: 0, versions: () => [] };
