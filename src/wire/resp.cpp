#include "wire/resp.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/assert.h"

namespace windlass::wire::resp {
namespace {

// "$", 20 digits, "\r\n"
constexpr std::size_t longest_header = 23;

std::size_t decimal_digits(std::size_t number) {
  std::size_t digits = 1;
  for (; number >= 10; number /= 10) ++digits;
  return digits;
}

std::size_t bulk_bytes(std::size_t length) {
  return 1 + decimal_digits(length) + 2 + length + 2;
}

char* put_end(char* to) {
  to[0] = '\r';
  to[1] = '\n';
  return to + 2;
}

template <typename Number>
char* put_header(char* to, char type, Number number) {
  *to = type;
  return put_end(std::to_chars(to + 1, to + longest_header, number).ptr);
}

char* put_bytes(char* to, std::string_view bytes) {
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}

char* put_bulk(char* to, std::string_view bytes) {
  return put_end(put_bytes(put_header(to, type::bulk, bytes.size()), bytes));
}

void encode_line(char type, std::string_view text, base::ByteQueue& out) {
  const std::size_t total = 1 + text.size() + 2;
  char* to = out.prepare(total);
  *to++ = type;
  to = std::transform(text.begin(), text.end(), to, [](char byte) {
    const auto value = static_cast<unsigned char>(byte);
    return value < 0x20 || value == 0x7f ? ' ' : byte;
  });
  put_end(to);
  out.commit(total);
}

template <typename Number>
void encode_header(char type, Number number, base::ByteQueue& out) {
  char* const begin = out.prepare(longest_header);
  out.commit(static_cast<std::size_t>(put_header(begin, type, number) - begin));
}

}  // namespace

void encode_command(std::initializer_list<std::string_view> arguments, base::ByteQueue& out) {
  encode_array(arguments.size(), out);
  for (const std::string_view argument : arguments) encode_bulk(argument, out);
}

CommandHead::CommandHead(std::initializer_list<std::string_view> arguments) : count_(arguments.size()) {
  base::ByteQueue encoded;
  for (const std::string_view argument : arguments) encode_bulk(argument, encoded);
  arguments_ = encoded.view();
}

void CommandHead::encode_once(const Batch& batch, base::ByteQueue& out) const {
  WINDLASS_ASSERT(!batch.empty());
  // In place and in one piece. Headers are a little shorter than this.
  const std::size_t most = longest_header + arguments_.size() + batch.size() * (longest_header + 2) + batch.bytes();
  char* const begin = out.prepare(most);
  char* to = put_bytes(put_header(begin, type::array, count_ + batch.size()), arguments_);
  for (const std::string_view event : batch) to = put_bulk(to, event);
  out.commit(static_cast<std::size_t>(to - begin));
}

void CommandHead::encode_each(const Batch& batch, base::ByteQueue& out) const {
  const std::size_t most = batch.size() * (longest_header + arguments_.size() + longest_header + 2) + batch.bytes();
  char* const begin = out.prepare(most);
  char* to = begin;
  for (const std::string_view event : batch)
    to = put_bulk(put_bytes(put_header(to, type::array, count_ + 1), arguments_), event);
  out.commit(static_cast<std::size_t>(to - begin));
}

void encode_simple(std::string_view text, base::ByteQueue& out) {
  encode_line(type::simple, text, out);
}

void encode_error(std::string_view text, base::ByteQueue& out) {
  encode_line(type::error, text, out);
}

void encode_integer(std::int64_t number, base::ByteQueue& out) {
  encode_header(type::integer, number, out);
}

void encode_bulk(std::string_view bytes, base::ByteQueue& out) {
  char* const begin = out.prepare(bulk_bytes(bytes.size()));
  out.commit(static_cast<std::size_t>(put_bulk(begin, bytes) - begin));
}

void encode_null(base::ByteQueue& out) {
  encode_header(type::bulk, -1, out);
}

void encode_array(std::size_t count, base::ByteQueue& out) {
  encode_header(type::array, count, out);
}

}  // namespace windlass::wire::resp
