/** What is kept of a stream: its beginning and its end, and how much fell out between them. */
export interface OutputTail {
  /** Beginning, a mark with the number of bytes that were cut, end; the bytes read as UTF-8. */
  readonly text: string;
  /** Of the whole stream. */
  readonly sizeBytes: number;
  /** 0 when `text` is the whole stream. */
  readonly cutBytes: number;
}
