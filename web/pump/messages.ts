/** What the shell page and the pump say to each other. The shell is ours: these messages are typed, not parsed. */

/** To the pump. `channel` and `port` are transferred with their messages. */
export type ShellToPump =
  /** Starts a session on a channel that was created in this task (a channel in use cannot be transferred). */
  | { readonly type: "channel"; readonly channel: RTCDataChannel }
  /** Binds a bridge's port to one service. No message on that port can name another. */
  | { readonly type: "service"; readonly service: string; readonly port: MessagePort }
  /** Asks for `stats`. */
  | { readonly type: "stats" }
  /** Ends the session; bound ports stay and wait for the next channel. */
  | { readonly type: "close" };

/** Why a session ended: the channel closed, the agent broke the protocol, or the shell asked. */
export type PumpEnd = "channel-closed" | "protocol" | "asked";

/** Counters since the session began. */
export interface PumpStats {
  /** Streams open now. */
  readonly streams: number;
  /** Bytes of channel messages, both ways. */
  readonly received: number;
  readonly sent: number;
  /** Bytes handed to the channel that have not left. */
  readonly buffered: number;
}

/** From the pump. */
export type PumpToShell =
  /** The channel is open. */
  | { readonly type: "ready" }
  | { readonly type: "closed"; readonly reason: PumpEnd }
  | { readonly type: "stats"; readonly stats: PumpStats };

/** What the shell posts to: a Worker, or a pump in the page itself where a channel cannot be transferred. */
export interface PumpPort {
  postMessage(message: ShellToPump, transfer: Transferable[]): void;
}
