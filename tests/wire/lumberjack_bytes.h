// Bytes and batches for tests of the codecs and the conversations above them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <rapidcheck.h>
#include <string>
#include <string_view>
#include <vector>

#include <windlass/batch.h>

namespace windlass::test {

/// The bytes that a text of hexadecimal digits means; spaces are for the eye.
inline std::string hex(std::string_view digits) {
  const auto value = [](char digit) { return digit <= '9' ? digit - '0' : digit - 'a' + 10; };
  std::string bytes;
  int high = -1;
  for (const char digit : digits) {
    if (digit == ' ') continue;
    if (high < 0) {
      high = value(digit);
    } else {
      bytes.push_back(static_cast<char>(high * 16 + value(digit)));
      high = -1;
    }
  }
  return bytes;
}

inline Batch batch_of(const std::vector<std::string>& events) {
  auto buffer = std::make_shared<EventBuffer>();
  for (const std::string& event : events) buffer->append(event);
  return Batch(std::move(buffer));
}

/// A frame with one number: W, C's header, A.
inline std::string frame(char type, std::uint32_t number) {
  std::string bytes = {'2', type};
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(number >> shift));
  return bytes;
}
inline std::string window_frame(std::uint32_t count) {
  return frame('W', count);
}
inline std::string ack_frame(std::uint32_t sequence) {
  return frame('A', sequence);
}
inline std::string json_frame(std::uint32_t sequence, std::string_view payload) {
  return frame('J', sequence) + frame('J', static_cast<std::uint32_t>(payload.size())).substr(2) + std::string(payload);
}
inline std::string compressed_frame(std::string_view stream) {
  return frame('C', static_cast<std::uint32_t>(stream.size())) + std::string(stream);
}

/// Hands `bytes` on as a network may: in pieces of the given sizes, over and over (0 counts as 1); whole without any.
/// To keep tests quick, what is left after 2000 pieces comes at once.
template <typename Take>
void in_pieces(std::string_view bytes, const std::vector<std::uint8_t>& sizes, Take take) {
  for (std::size_t piece = 0; !bytes.empty(); ++piece) {
    const std::size_t wanted =
        sizes.empty() || piece == 2000 ? bytes.size() : std::max<std::size_t>(1, sizes[piece % sizes.size()]);
    const std::string_view part = bytes.substr(0, wanted);
    take(part);
    bytes.remove_prefix(part.size());
  }
}

/// Sizes for in_pieces: often whole, often byte by byte, else anything.
inline rc::Gen<std::vector<std::uint8_t>> cuts() {
  return rc::gen::oneOf(rc::gen::just(std::vector<std::uint8_t>()), rc::gen::just(std::vector<std::uint8_t>{1}),
                        rc::gen::arbitrary<std::vector<std::uint8_t>>());
}

/// A payload: any bytes; short, empty, or once in a while larger than every buffer on its way.
inline rc::Gen<std::string> payload() {
  return rc::gen::weightedOneOf<std::string>(
      {{60, rc::gen::container<std::string>(rc::gen::arbitrary<char>())},
       {6, rc::gen::just(std::string())},
       {1,
        rc::gen::map(rc::gen::pair(rc::gen::inRange<std::size_t>(60'000, 200'000), rc::gen::arbitrary<std::uint32_t>()),
                     [](std::pair<std::size_t, std::uint32_t> made) {
                       std::string bytes(made.first, 'x');
                       std::uint32_t noise = made.second;
                       for (std::size_t i = 0; i < bytes.size(); i += 1 + made.second % 7) {
                         noise = noise * 1664525u + 1013904223u;
                         bytes[i] = static_cast<char>(noise >> 24);
                       }
                       return bytes;
                     })}});
}
inline rc::Gen<std::vector<std::string>> payloads() {
  return rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(payload()));
}

}  // namespace windlass::test
