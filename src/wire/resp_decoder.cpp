#include "wire/resp_decoder.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <utility>

#include <windlass/error.h>

namespace windlass::wire::resp {
namespace {

constexpr std::size_t memory_kept = std::size_t{256} << 10;
// A sign and the digits of the largest number.
constexpr std::size_t longest_number = 20;
constexpr std::string_view types = "+-:$*";

/// What a peer said, as a log can show it.
std::string shown(std::string_view bytes) {
  constexpr std::size_t most = 40;
  std::string text = "'";
  for (const char byte : bytes.substr(0, most)) {
    if (byte >= ' ' && byte <= '~')
      text += byte;
    else
      text += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
  }
  return text + (bytes.size() > most ? "...'" : "'");
}

}  // namespace

void Decoder::feed(std::string_view bytes) {
  release();
  if (!error_ && !bytes.empty()) input_.append(bytes);
}

std::optional<Token> Decoder::next() {
  release();
  if (error_ || input_.empty()) return std::nullopt;
  const char kind = input_.view().front();
  // Said as soon as it is seen, so that a stranger is not waited for.
  if (types.find(kind) == std::string_view::npos) {
    fail(fmt::format("a value begins with {}; one of {} was expected", shown(input_.view().substr(0, 1)), types));
    return std::nullopt;
  }
  const auto line = take_line();
  if (!line) return std::nullopt;
  const std::size_t bytes = line->size() + 3;
  if (kind == type::simple) return finish({Token::Kind::simple, 0, *line}, bytes);
  if (kind == type::error) return finish({Token::Kind::error, 0, *line}, bytes);

  const auto number = number_in(*line);
  if (!number) return std::nullopt;
  if (kind == type::integer) return finish({Token::Kind::integer, *number, {}}, bytes);
  if (*number == -1) return finish({Token::Kind::null, 0, {}}, bytes);
  return kind == type::bulk ? bulk(*number, bytes) : array(*number, bytes);
}

/// The line at the front of the input, without its type and its end. Nothing when it is not complete, or too long.
std::optional<std::string_view> Decoder::take_line() {
  const std::string_view bytes = input_.view();
  const bool text = bytes.front() == type::simple || bytes.front() == type::error;
  const std::size_t most = text ? limits_.max_line_bytes : longest_number;
  const std::size_t end = bytes.find_first_of("\r\n", std::max<std::size_t>(1, searched_));
  const std::size_t length = std::min(end, bytes.size()) - 1;
  if (length > most) {
    fail(fmt::format("a line of more than {} bytes: {}", most, shown(bytes.substr(0, most))));
    return std::nullopt;
  }
  searched_ = length + 1;
  if (end == std::string_view::npos || (bytes[end] == '\r' && end + 1 == bytes.size())) return std::nullopt;
  if (bytes[end] != '\r' || bytes[end + 1] != '\n') {
    fail(fmt::format("a line that does not end with \\r\\n: {}", shown(bytes.substr(0, end + 1))));
    return std::nullopt;
  }
  return bytes.substr(1, length);
}

std::optional<std::int64_t> Decoder::number_in(std::string_view line) {
  const std::string_view digits = line.starts_with('+') && !line.starts_with("+-") ? line.substr(1) : line;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error == std::errc() && end == digits.data() + digits.size()) return number;
  fail(fmt::format("a number was expected, not {}", shown(line)));
  return std::nullopt;
}

std::optional<Token> Decoder::bulk(std::int64_t length, std::size_t header) {
  if (length < 0 || static_cast<std::uint64_t>(length) > limits_.max_bulk_bytes) {
    fail(fmt::format("a string of {} bytes; at most {} are accepted", length, limits_.max_bulk_bytes));
    return std::nullopt;
  }
  const auto size = static_cast<std::size_t>(length);
  const std::string_view bytes = input_.view().substr(header);
  if (bytes.size() < size + 2) return std::nullopt;
  if (bytes.substr(size, 2) != "\r\n") {
    fail(fmt::format("a string of {} bytes that does not end with \\r\\n", size));
    return std::nullopt;
  }
  return finish({Token::Kind::bulk, 0, bytes.substr(0, size)}, header + size + 2);
}

std::optional<Token> Decoder::array(std::int64_t count, std::size_t header) {
  if (count < 0 || static_cast<std::uint64_t>(count) > limits_.max_elements) {
    fail(fmt::format("an array of {} values; at most {} are accepted", count, limits_.max_elements));
    return std::nullopt;
  }
  if (count > 0 && open_.size() >= limits_.max_depth) {
    fail(fmt::format("arrays in arrays; at most {} are accepted", limits_.max_depth));
    return std::nullopt;
  }
  return finish({Token::Kind::array, count, {}}, header);
}

/// Hands out a token that is made of so many bytes.
Token Decoder::finish(Token token, std::size_t bytes) {
  handed_out_ = bytes;
  searched_ = 0;
  if (token.kind == Token::Kind::array && token.number > 0) {
    open_.push_back(static_cast<std::size_t>(token.number));
  } else {
    // The end of a value may be the end of the array around it, and so on outwards.
    while (!open_.empty() && --open_.back() == 0) open_.pop_back();
  }
  token.last = open_.empty();
  return token;
}

void Decoder::release() {
  if (handed_out_ == 0) return;
  input_.consume(std::exchange(handed_out_, 0));
  if (input_.empty()) input_.shrink(memory_kept);
}

void Decoder::fail(std::string detail) {
  error_ = errc::protocol_error;
  error_detail_ = std::move(detail);
}

}  // namespace windlass::wire::resp
