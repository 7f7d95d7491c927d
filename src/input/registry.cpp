#include "input/registry.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <limits>
#include <optional>

namespace windlass::input {
namespace {

constexpr std::string_view name = "windlass-positions ";
constexpr std::string_view header = "windlass-positions 1\n";
constexpr std::uint64_t max_offset = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t max_seconds = std::numeric_limits<std::int64_t>::max() / 1'000'000'000;
/// A log of up to this size is not worth being written anew.
constexpr std::size_t small_log = std::size_t{256} << 10;
constexpr std::string_view state_letters = "xlc";  // live: x, for "exists"

std::string escaped(std::string_view path) {
  std::string result;
  for (const char byte : path) {
    const auto value = static_cast<unsigned char>(byte);
    if (value <= 0x20 || value == 0x7f || byte == '%')
      result += fmt::format("%{:02X}", value);
    else
      result += byte;
  }
  return result;
}

std::optional<std::string> unescaped(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      result += text[at];
      continue;
    }
    unsigned value = 0;
    const char* const digits = text.data() + at + 1;
    if (text.size() < at + 3 || std::from_chars(digits, digits + 2, value, 16).ptr != digits + 2) return std::nullopt;
    result += static_cast<char>(value);
    at += 2;
  }
  return result;
}

std::string line_of(std::string_view content) {
  return fmt::format("{:016x} {}\n", hash_of(content), content);
}

std::string line_of(const FileEntry& entry) {
  return line_of(fmt::format("+ {:016x} {} {} {} {} {} {} {} {} {:016x} {} {:016x} {} {} {}", entry.identity,
                             entry.generation, state_letters[static_cast<std::size_t>(entry.state)], entry.key.device,
                             entry.key.inode, entry.origin.device, entry.origin.inode, entry.born,
                             entry.fingerprint.length, entry.fingerprint.hash, entry.mark.end, entry.mark.hash,
                             entry.position, entry.gone_since, escaped(entry.path)));
}

std::string removal_of(std::uint64_t identity) {
  return line_of(fmt::format("- {:016x}", identity));
}

/// Words of a line, one after another; once one is not as expected, all is wrong.
class Words {
 public:
  explicit Words(std::string_view text) : rest_(text) {}

  template <typename Number>
  Number number(int base = 10) {
    Number value{};
    const std::string_view word = next();
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value, base);
    if (word.empty() || error != std::errc() || end != word.data() + word.size()) fine_ = false;
    return value;
  }
  std::string_view next() {
    const auto blank = rest_.find(' ');
    const std::string_view word = rest_.substr(0, blank);
    rest_ = blank == std::string_view::npos ? std::string_view() : rest_.substr(blank + 1);
    return word;
  }
  std::string_view rest() const { return rest_; }
  void expect(bool condition) { fine_ = fine_ && condition; }
  bool fine() const { return fine_; }

 private:
  std::string_view rest_;
  bool fine_ = true;
};

bool read_line(std::string_view line, std::unordered_map<std::uint64_t, FileEntry>& entries) {
  Words words(line);
  const auto checksum = words.number<std::uint64_t>(16);
  if (!words.fine() || hash_of(words.rest()) != checksum) return false;
  const std::string_view action = words.next();
  FileEntry entry;
  entry.identity = words.number<std::uint64_t>(16);
  if (action == "-") {
    if (words.fine()) entries.erase(entry.identity);
    return words.fine();
  }
  entry.generation = words.number<std::uint32_t>();
  const std::string_view letter = words.next();
  const auto state = letter.size() == 1 ? state_letters.find(letter) : std::string_view::npos;
  words.expect(action == "+" && state != std::string_view::npos);
  if (!words.fine()) return false;
  entry.state = static_cast<FileEntry::State>(state);
  entry.key.device = words.number<std::uint64_t>();
  entry.key.inode = words.number<std::uint64_t>();
  entry.origin.device = words.number<std::uint64_t>();
  entry.origin.inode = words.number<std::uint64_t>();
  entry.born = words.number<std::int64_t>();
  entry.fingerprint.length = words.number<std::uint32_t>();
  entry.fingerprint.hash = words.number<std::uint64_t>(16);
  entry.mark.end = words.number<std::uint64_t>();
  entry.mark.hash = words.number<std::uint64_t>(16);
  entry.position = words.number<std::uint64_t>();
  entry.gone_since = words.number<std::int64_t>();
  const auto path = unescaped(words.rest());
  words.expect(path.has_value() && entry.fingerprint.length <= fingerprint_bytes);
  words.expect(entry.mark.end == 0 || (entry.mark.end >= fingerprint_bytes && entry.mark.end <= max_offset));
  words.expect(entry.position <= max_offset && entry.gone_since >= 0 && entry.gone_since <= max_seconds);
  if (!words.fine()) return false;
  entry.path = *path;
  entries.insert_or_assign(entry.identity, std::move(entry));
  return true;
}

bool is_of_another_version(std::string_view log) {
  if (!log.starts_with(name) || log.starts_with(header)) return false;
  const std::string_view version = log.substr(name.size(), log.find('\n') - name.size());
  return !version.empty() && version.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

Registry::Loaded Registry::load() {
  Loaded result;
  std::string log;
  result.error = storage_.read(log);
  if (result.error) return result;
  // The beginning of a header was torn by a crash of the first run; there is nothing to lose.
  rewrite_ = header.starts_with(log);
  result.foreign = !rewrite_ && is_of_another_version(log);
  if (!rewrite_ && !result.foreign) {
    std::string_view rest = log;
    const bool headed = rest.starts_with(header);
    if (headed) rest.remove_prefix(header.size());
    for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
      if (!read_line(rest.substr(0, end), entries_)) ++result.damaged_lines;
      rest.remove_prefix(end + 1);
    }
    result.foreign = !headed && entries_.empty();
    rewrite_ = !headed || !rest.empty() || result.damaged_lines > 0;
  }
  if (result.foreign) rewrite_ = true;
  if (result.foreign || result.damaged_lines > 0) result.aside_error = storage_.keep_aside();
  log_bytes_ = log.size();
  for (const auto& [identity, entry] : entries_) live_bytes_ += line_of(entry).size();
  return result;
}

std::error_code Registry::save(std::span<const FileEntry> changed, std::span<const std::uint64_t> removed) {
  std::string lines;
  for (const FileEntry& entry : changed) {
    const auto [at, is_new] = entries_.try_emplace(entry.identity, entry);
    if (!is_new && at->second == entry) continue;
    at->second = entry;
    const std::string line = line_of(entry);
    if (is_new) live_bytes_ += line.size();
    lines += line;
  }
  for (const std::uint64_t identity : removed) {
    const auto at = entries_.find(identity);
    if (at == entries_.end()) continue;
    live_bytes_ -= std::min(live_bytes_, line_of(at->second).size());
    entries_.erase(at);
    lines += removal_of(identity);
  }
  if (rewrite_ || log_bytes_ + lines.size() > small_log + 4 * live_bytes_) return rewrite();
  if (lines.empty()) return {};
  if (const std::error_code error = storage_.append(lines)) {
    // It may be there in part.
    rewrite_ = true;
    return error;
  }
  log_bytes_ += lines.size();
  return {};
}

std::error_code Registry::rewrite() {
  std::string log(header);
  for (const auto& [identity, entry] : entries_) log += line_of(entry);
  rewrite_ = true;
  if (const std::error_code error = storage_.replace(log)) return error;
  rewrite_ = false;
  log_bytes_ = live_bytes_ = log.size();
  return {};
}

}  // namespace windlass::input
