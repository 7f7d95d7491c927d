#include "app/json_text.h"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace windlass::app {
namespace {

constexpr std::size_t chunk = 16;
constexpr std::string_view replacement = "\xef\xbf\xbd";  // U+FFFD
constexpr std::string_view hex_digits = "0123456789abcdef";

/// The letter behind the backslash; 'u' where there is no shorter way; 0 where nothing is to be escaped.
constexpr std::array<char, 128> escapes = [] {
  std::array<char, 128> table{};
  for (std::size_t control = 0; control < 0x20; ++control) table[control] = 'u';
  table['\b'] = 'b';
  table['\f'] = 'f';
  table['\n'] = 'n';
  table['\r'] = 'r';
  table['\t'] = 't';
  table['"'] = '"';
  table['\\'] = '\\';
  return table;
}();

/// Copies a chunk, and tells by one bit a byte which of them cannot stay as they are without a closer look.
#ifdef __SSE2__
inline unsigned copy_chunk(const char* from, char* to) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
  // As signed numbers, bytes from 0x80 on are below 0x20 like control characters.
  const __m128i low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));
  const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
  const __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(low, _mm_or_si128(quote, backslash))));
}
#else
inline unsigned copy_chunk(const char* from, char* to) {
  std::memcpy(to, from, chunk);
  unsigned special = 0;
  for (std::size_t index = 0; index < chunk; ++index) {
    const auto byte = static_cast<unsigned char>(from[index]);
    special |= static_cast<unsigned>(byte >= 0x80 || escapes[byte] != 0) << index;
  }
  return special;
}
#endif

struct Sequence {
  unsigned length;  // bytes that belong together
  bool valid;
};

/// Looks at bytes from a non-ASCII one on (Unicode 15, table 3-7, "Well-Formed UTF-8 Byte Sequences").
inline Sequence look_at(const char* from, const char* end) {
  const auto byte = [&](unsigned index) { return static_cast<unsigned char>(from[index]); };
  const unsigned char lead = byte(0);
  if (lead < 0xc2 || lead > 0xf4) return {1, false};
  const unsigned length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  // The second byte has narrower limits where a longer form than needed, a surrogate, or more than U+10FFFF threatens.
  const unsigned char least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const unsigned char most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (end - from < 2 || byte(1) < least || byte(1) > most) return {1, false};
  for (unsigned index = 2; index < length; ++index)
    if (end - from <= static_cast<std::ptrdiff_t>(index) || (byte(index) & 0xc0) != 0x80) return {index, false};
  return {length, true};
}

/// Writes what stands for the special byte at `from`, and those that belong to it; advances both.
inline void replace_one(const char*& from, const char* end, char*& to) {
  const auto byte = static_cast<unsigned char>(*from);
  if (byte >= 0x80) {
    const Sequence sequence = look_at(from, end);
    if (sequence.valid) {
      std::memcpy(to, from, sequence.length);
      to += sequence.length;
    } else {
      std::memcpy(to, replacement.data(), replacement.size());
      to += replacement.size();
    }
    from += sequence.length;
    return;
  }
  *to++ = '\\';
  *to++ = escapes[byte];
  if (escapes[byte] == 'u') {
    *to++ = '0';
    *to++ = '0';
    *to++ = hex_digits[byte >> 4];
    *to++ = hex_digits[byte & 15];
  }
  ++from;
}

inline bool is_special(char character) {
  const auto byte = static_cast<unsigned char>(character);
  return byte >= 0x80 || escapes[byte] != 0;
}

/// Writes the special bytes at `from`, of which there is one at least, as they often come together.
inline void replace_run(const char*& from, const char* end, char*& to) {
  do replace_one(from, end, to);
  while (from != end && is_special(*from));
}

}  // namespace

char* escape_json(std::string_view text, char* to) {
  const char* from = text.data();
  const char* const end = from + text.size();
  while (static_cast<std::size_t>(end - from) >= chunk) {
    const unsigned special = copy_chunk(from, to);
    if (special == 0) {
      from += chunk;
      to += chunk;
      continue;
    }
    const int plain = std::countr_zero(special);
    from += plain;
    to += plain;
    replace_run(from, end, to);
  }
  // The rest has a chunk of its own to be read from, filled up with what is not special.
  while (from != end) {
    const auto left = static_cast<std::size_t>(end - from);
    std::array<char, chunk> last;
    last.fill(' ');
    std::memcpy(last.data(), from, left);
    const unsigned special = copy_chunk(last.data(), to);
    if (special == 0) return to + left;
    const int plain = std::countr_zero(special);
    from += plain;
    to += plain;
    replace_run(from, end, to);
  }
  return to;
}

std::size_t json_size(std::string_view text) {
  std::size_t size = 0;
  const char* from = text.data();
  const char* const end = from + text.size();
  std::array<char, chunk> scratch;
  while (from != end) {
    if (static_cast<std::size_t>(end - from) >= chunk && copy_chunk(from, scratch.data()) == 0) {
      from += chunk;
      size += chunk;
    } else if (is_special(*from)) {
      char* to = scratch.data();
      replace_one(from, end, to);
      size += static_cast<std::size_t>(to - scratch.data());
    } else {
      ++from;
      ++size;
    }
  }
  return size;
}

std::string escaped_json(std::string_view text) {
  std::string result(json_size(text) + json_slack, '\0');
  result.resize(static_cast<std::size_t>(escape_json(text, result.data()) - result.data()));
  return result;
}

}  // namespace windlass::app
