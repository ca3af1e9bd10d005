/**
 * The two WebAssembly modules that multiply one query with many rows, as bytes beside their text.
 *
 * Source: WebAssembly core specification 2.0, text and binary format. Each line is text, then, after the last `;;`, the
 * bytes that it stands for; a test assembles the text and compares.
 * Order of parameters: the addresses of the query, of the first row, of the place for the first score; the end of the
 * last row; the bytes from row to row, a multiple of 32 (int8) or 64 (float). At least one row.
 * Not: nothing is checked in there; `vector-rows.ts` is the only caller, and gives no address outside of the memory.
 */

/** Rows of int8 with a query of int16: sums of products as int32. Four accumulators keep the multipliers busy. */
export const INT8_LISTING = `
(module                                                               ;; 00 61 73 6d 01 00 00 00
  (type $kernel (func (param i32 i32 i32 i32 i32)))                   ;; 01 09 01 60 05 7f 7f 7f 7f 7f 00
  (import "index" "memory" (memory 1))                                ;; 02 11 01 05 69 6e 64 65 78
                                                                      ;; 06 6d 65 6d 6f 72 79 02 00 01
  ;; the function section                                             ;; 03 02 01 00
  (export "score" (func $score))                                      ;; 07 09 01 05 73 63 6f 72 65 00 00
  (func $score (type $kernel)                                         ;; 0a db 01 01 d8 01
    (param $query i32) (param $row i32) (param $scores i32) (param $end i32) (param $stride i32)
    (local $q i32) (local $stop i32) (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    ;; two locals of type i32, four of type v128                      ;; 02 02 7f 04 7b
    loop                                                              ;; 03 40
      local.get $query  local.set $q                                  ;; 20 00 21 05
      local.get $row  local.get $stride  i32.add                      ;; 20 01 20 04 6a
      local.set $stop                                                 ;; 21 06
      i32.const 0  i32x4.splat  local.set $a                          ;; 41 00 fd 11 21 07
      i32.const 0  i32x4.splat  local.set $b                          ;; 41 00 fd 11 21 08
      i32.const 0  i32x4.splat  local.set $c                          ;; 41 00 fd 11 21 09
      i32.const 0  i32x4.splat  local.set $d                          ;; 41 00 fd 11 21 0a
      loop                                                            ;; 03 40
        local.get $a  local.get $row  v128.load8x8_s                  ;; 20 07 20 01 fd 01 03 00
        local.get $q  v128.load  i32x4.dot_i16x8_s  i32x4.add  local.set $a;; 20 05 fd 00 04 00 fd ba 01 fd ae 01 21 07
        local.get $b  local.get $row  v128.load8x8_s offset=8         ;; 20 08 20 01 fd 01 03 08
        local.get $q  v128.load offset=16                             ;; 20 05 fd 00 04 10
        i32x4.dot_i16x8_s  i32x4.add  local.set $b                    ;; fd ba 01 fd ae 01 21 08
        local.get $c  local.get $row  v128.load8x8_s offset=16        ;; 20 09 20 01 fd 01 03 10
        local.get $q  v128.load offset=32                             ;; 20 05 fd 00 04 20
        i32x4.dot_i16x8_s  i32x4.add  local.set $c                    ;; fd ba 01 fd ae 01 21 09
        local.get $d  local.get $row  v128.load8x8_s offset=24        ;; 20 0a 20 01 fd 01 03 18
        local.get $q  v128.load offset=48                             ;; 20 05 fd 00 04 30
        i32x4.dot_i16x8_s  i32x4.add  local.set $d                    ;; fd ba 01 fd ae 01 21 0a
        local.get $q  i32.const 64  i32.add  local.set $q             ;; 20 05 41 c0 00 6a 21 05
        local.get $row  i32.const 32  i32.add                         ;; 20 01 41 20 6a
        local.tee $row                                                ;; 22 01
        local.get $stop  i32.lt_u  br_if 0                            ;; 20 06 49 0d 00
      end                                                             ;; 0b
      local.get $a  local.get $b  i32x4.add                           ;; 20 07 20 08 fd ae 01
      local.get $c  local.get $d  i32x4.add  i32x4.add  local.set $a  ;; 20 09 20 0a fd ae 01 fd ae 01 21 07
      local.get $scores                                               ;; 20 02
      local.get $a  i32x4.extract_lane 0  local.get $a                ;; 20 07 fd 1b 00 20 07
      i32x4.extract_lane 1  i32.add                                   ;; fd 1b 01 6a
      local.get $a  i32x4.extract_lane 2  local.get $a                ;; 20 07 fd 1b 02 20 07
      i32x4.extract_lane 3  i32.add  i32.add                          ;; fd 1b 03 6a 6a
      i32.store                                                       ;; 36 02 00
      local.get $scores  i32.const 4  i32.add                         ;; 20 02 41 04 6a
      local.set $scores                                               ;; 21 02
      local.get $row  local.get $end  i32.lt_u  br_if 0               ;; 20 01 20 03 49 0d 00
    end                                                               ;; 0b
  )                                                                   ;; 0b
)
`;

/** Rows of 32-bit floats with a query of the same: sums of products as 32-bit floats, in sixteen partial sums. */
export const FLOAT_LISTING = `
(module                                                               ;; 00 61 73 6d 01 00 00 00
  (type $kernel (func (param i32 i32 i32 i32 i32)))                   ;; 01 09 01 60 05 7f 7f 7f 7f 7f 00
  (import "index" "memory" (memory 1))                                ;; 02 11 01 05 69 6e 64 65 78
                                                                      ;; 06 6d 65 6d 6f 72 79 02 00 01
  ;; the function section                                             ;; 03 02 01 00
  (export "score" (func $score))                                      ;; 07 09 01 05 73 63 6f 72 65 00 00
  (func $score (type $kernel)                                         ;; 0a e8 01 01 e5 01
    (param $query i32) (param $row i32) (param $scores i32) (param $end i32) (param $stride i32)
    (local $q i32) (local $stop i32) (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    ;; two locals of type i32, four of type v128                      ;; 02 02 7f 04 7b
    loop                                                              ;; 03 40
      local.get $query  local.set $q                                  ;; 20 00 21 05
      local.get $row  local.get $stride  i32.add                      ;; 20 01 20 04 6a
      local.set $stop                                                 ;; 21 06
      f32.const 0  f32x4.splat  local.set $a                          ;; 43 00 00 00 00 fd 13 21 07
      f32.const 0  f32x4.splat  local.set $b                          ;; 43 00 00 00 00 fd 13 21 08
      f32.const 0  f32x4.splat  local.set $c                          ;; 43 00 00 00 00 fd 13 21 09
      f32.const 0  f32x4.splat  local.set $d                          ;; 43 00 00 00 00 fd 13 21 0a
      loop                                                            ;; 03 40
        local.get $a  local.get $row  v128.load                       ;; 20 07 20 01 fd 00 04 00
        local.get $q  v128.load  f32x4.mul  f32x4.add  local.set $a   ;; 20 05 fd 00 04 00 fd e6 01 fd e4 01 21 07
        local.get $b  local.get $row  v128.load offset=16             ;; 20 08 20 01 fd 00 04 10
        local.get $q  v128.load offset=16                             ;; 20 05 fd 00 04 10
        f32x4.mul  f32x4.add  local.set $b                            ;; fd e6 01 fd e4 01 21 08
        local.get $c  local.get $row  v128.load offset=32             ;; 20 09 20 01 fd 00 04 20
        local.get $q  v128.load offset=32                             ;; 20 05 fd 00 04 20
        f32x4.mul  f32x4.add  local.set $c                            ;; fd e6 01 fd e4 01 21 09
        local.get $d  local.get $row  v128.load offset=48             ;; 20 0a 20 01 fd 00 04 30
        local.get $q  v128.load offset=48                             ;; 20 05 fd 00 04 30
        f32x4.mul  f32x4.add  local.set $d                            ;; fd e6 01 fd e4 01 21 0a
        local.get $q  i32.const 64  i32.add  local.set $q             ;; 20 05 41 c0 00 6a 21 05
        local.get $row  i32.const 64  i32.add                         ;; 20 01 41 c0 00 6a
        local.tee $row                                                ;; 22 01
        local.get $stop  i32.lt_u  br_if 0                            ;; 20 06 49 0d 00
      end                                                             ;; 0b
      local.get $a  local.get $b  f32x4.add                           ;; 20 07 20 08 fd e4 01
      local.get $c  local.get $d  f32x4.add  f32x4.add  local.set $a  ;; 20 09 20 0a fd e4 01 fd e4 01 21 07
      local.get $scores                                               ;; 20 02
      local.get $a  f32x4.extract_lane 0  local.get $a                ;; 20 07 fd 1f 00 20 07
      f32x4.extract_lane 1  f32.add                                   ;; fd 1f 01 92
      local.get $a  f32x4.extract_lane 2  local.get $a                ;; 20 07 fd 1f 02 20 07
      f32x4.extract_lane 3  f32.add  f32.add                          ;; fd 1f 03 92 92
      f32.store                                                       ;; 38 02 00
      local.get $scores  i32.const 4  i32.add                         ;; 20 02 41 04 6a
      local.set $scores                                               ;; 21 02
      local.get $row  local.get $end  i32.lt_u  br_if 0               ;; 20 01 20 03 49 0d 00
    end                                                               ;; 0b
  )                                                                   ;; 0b
)
`;

/** The bytes of a listing. */
export function bytesOf(listing: string): Uint8Array<ArrayBuffer> {
  const columns = listing.split("\n").map((line) => /.*;;((?: [0-9a-f]{2})+)$/.exec(line)?.[1] ?? "");
  return Uint8Array.from(columns.join("").match(/[0-9a-f]{2}/g) ?? [], (byte) => Number.parseInt(byte, 16));
}
