// Lumberjack version 2, the protocol of Beats and Logstash: its frames.
//
// A frame is '2', a type, and a body. Integers are 32 bits, big-endian.
//   W  count                        so many data frames make this window
//   J  sequence, length, bytes      one event; sequence runs from 1 to count
//   C  length, bytes                whole frames as one zlib stream; W stays outside
//   A  sequence                     the peer's answer: events up to this one of the oldest open window are taken;
//                                   0 says only that it lives
// https://github.com/logstash-plugins/logstash-input-beats/blob/main/PROTOCOL.md
#pragma once

#include <cstddef>
#include <cstdint>

namespace windlass::wire::lumberjack {

inline constexpr char version = '2';

namespace frame_type {
inline constexpr char window = 'W';
inline constexpr char json = 'J';
inline constexpr char compressed = 'C';
inline constexpr char ack = 'A';
inline constexpr char key_value = 'D';  // of version 1, known only to be refused by name
}  // namespace frame_type

inline constexpr std::size_t window_bytes = 6;             // '2' 'W' count
inline constexpr std::size_t json_header_bytes = 10;       // '2' 'J' sequence length
inline constexpr std::size_t compressed_header_bytes = 6;  // '2' 'C' length
inline constexpr std::size_t ack_bytes = 6;                // '2' 'A' sequence

}  // namespace windlass::wire::lumberjack
