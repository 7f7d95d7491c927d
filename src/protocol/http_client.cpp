#include "protocol/http_client.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <iomanip>
#include <locale>
#include <sstream>
#include <utility>

#include <windlass/error.h>

#include "base/assert.h"

namespace windlass::protocol {
namespace {

constexpr std::size_t longest_shown = 300;
// A day: longer than anybody means.
constexpr std::chrono::seconds longest_wait = std::chrono::hours(24);
// Requests that are fine before a larger one is tried again.
constexpr unsigned patience = 256;

/// The beginning of a text from outside, on one line.
std::string shown(std::string_view text) {
  std::string result(text.substr(0, longest_shown));
  std::replace_if(
      result.begin(), result.end(), [](char c) { return c >= 0 && c < ' '; }, ' ');
  return result;
}

}  // namespace

HttpClient::HttpClient(std::shared_ptr<const Options> options, std::unique_ptr<HttpPayload> payload,
                       std::shared_ptr<HttpMemory> memory)
    : options_(std::move(options)),
      payload_(std::move(payload)),
      memory_(std::move(memory)),
      decoder_(wire::http::Decoder::Side::responses, options_->limits) {
  if (options_->compression_level > 0) deflater_.emplace(options_->compression_level, wire::ZFormat::gzip);
}

void HttpClient::send(std::uint64_t token, const Batch& batch) {
  WINDLASS_ASSERT(can_send() && !batch.empty());
  token_ = token;
  batch_ = batch;
  result_ = {};
  parts_.push_back({0, static_cast<std::uint32_t>(batch.size())});
  send_next();
}

/// The first part that is left; when none is, the batch is done.
void HttpClient::send_next() {
  while (!parts_.empty()) {
    Part& part = parts_.front();
    // As many events as the server is known to take, but one at least.
    std::size_t bytes = 0;
    std::uint32_t count = 0;
    for (const std::string_view event : batch_->part(part.first, part.count)) {
      bytes += event.size();
      if (count > 0 && bytes > memory_->max_bytes) break;
      ++count;
    }
    if (count < part.count) {
      parts_.insert(parts_.begin() + 1, {part.first + count, part.count - count});
      parts_.front().count = count;
    }
    request(parts_.front());
    if (asked_) return;
    parts_.pop_front();  // nothing in it can be sent
  }
  events_.push_back({Event::Kind::done, token_, static_cast<std::uint32_t>(batch_->size()), std::move(result_)});
  batch_.reset();
}

void HttpClient::request(Part part) {
  body_.clear();
  sent_.clear();
  std::uint32_t place = part.first;
  for (const std::string_view event : batch_->part(part.first, part.count)) {
    if (const std::string_view problem = payload_->add(event, now_, body_); problem.empty())
      sent_.push_back(place);
    else
      result_.rest.push_back({place, errc::rejected, std::string(problem)});
    ++place;
  }
  if (sent_.empty()) return;
  payload_->finish(body_);
  wire::http::Fields fields = options_->fields;
  fields.emplace_back("Content-Type", payload_->content_type());
  std::string_view body = body_.view();
  if (deflater_) {
    packed_.clear();
    deflater_->write(body, packed_);
    deflater_->finish(packed_);
    body = packed_.view();
    fields.emplace_back("Content-Encoding", "gzip");
  }
  wire::http::encode_request("POST", options_->target, fields, body, output_);
  asked_ = true;
}

std::error_code HttpClient::receive(std::string_view bytes) {
  if (error_ || finished_) return error_;
  decoder_.feed(bytes);
  alive_ = true;
  while (!error_ && !finished_) {
    const wire::http::Message* answer = decoder_.next();
    if (answer == nullptr) break;
    if (answer->status < 200) continue;
    if (!asked_) {
      fail(errc::protocol_error, fmt::format("an answer, {}, that nobody waits for", answer->status));
    } else {
      on_answer(*answer);
    }
  }
  if (!error_ && decoder_.error()) fail(decoder_.error(), decoder_.error_detail());
  return error_;
}

std::error_code HttpClient::receive_end(std::error_code reason) {
  if (error_) return error_;
  if (reason == errc::connection_lost) {
    if (const wire::http::Message* answer = decoder_.end(); answer != nullptr && asked_) on_answer(*answer);
    if (error_) return error_;
  }
  if (asked_) {
    if (answers_ == 0 || decoder_.inside_message()) return reason;
    go_on_later();
  }
  finished_ = true;
  return {};
}

void HttpClient::on_answer(const wire::http::Message& answer) {
  asked_ = false;
  ++answers_;
  const unsigned status = answer.status;
  const bool keep_alive = answer.keep_alive;
  const auto story = [&] {
    return fmt::format("POST {} is answered {} {}: {}", options_->target, status, answer.reason,
                       shown(answer.body.view()));
  };
  if (status < 300)
    on_success(answer);
  else if (status == 413)
    on_too_large();
  else if (status == 429 || status == 503)
    hand_back(errc::throttled, story(), retry_after(answer));
  else if (status == 400 || status == 408 || status == 409 || status == 422 || status >= 500)
    hand_back(errc::temporary, story());
  else
    fail(errc::denied, story());
  if (error_) return;
  if (!keep_alive) {
    if (batch_ && !parts_.empty())
      go_on_later();
    else if (batch_)
      send_next();
    finished_ = true;
  } else if (batch_) {
    send_next();
  }
}

void HttpClient::on_success(const wire::http::Message& answer) {
  const std::string problem = payload_->read_answer(answer.body.view(), sent_, result_.rest);
  if (!problem.empty()) return fail(errc::protocol_error, fmt::format("{}: {}", problem, shown(answer.body.view())));
  if (++memory_->fine >= patience) {
    memory_->fine = 0;
    memory_->max_bytes = std::min(2 * memory_->max_bytes, HttpMemory().max_bytes);
  }
  parts_.pop_front();
}

void HttpClient::on_too_large() {
  const Part part = parts_.front();
  if (part.count == 1) {
    result_.rest.push_back({part.first, errc::rejected, "413 to a request with this event alone"});
    return parts_.pop_front();
  }
  memory_->fine = 0;
  memory_->max_bytes = std::max<std::size_t>(1, batch_->part(part.first, part.count).bytes() / 2);
  const std::uint32_t half = part.count / 2;
  parts_.front() = {part.first, half};
  parts_.insert(parts_.begin() + 1, {part.first + half, part.count - half});
}

void HttpClient::go_on_later() {
  if (parts_.front().first > 0) return hand_back({}, {});
  asked_ = false;
  events_.push_back({Event::Kind::again, token_, 0, {}});
  parts_.clear();
  batch_.reset();
}

void HttpClient::hand_back(std::error_code why, std::string detail,
                           std::optional<std::chrono::nanoseconds> retry_after) {
  asked_ = false;
  // What could not be sent at all, of the part that is handed back, is found again when it comes back.
  if (!parts_.empty()) {
    result_.rest_from = parts_.front().first;
    std::erase_if(result_.rest, [&](const auto& event) { return event.index >= result_.rest_from; });
  }
  result_.error = why;
  result_.detail = std::move(detail);
  result_.retry_after = retry_after;
  parts_.clear();
  send_next();
}

void HttpClient::fail(std::error_code error, std::string detail) {
  error_ = error;
  error_detail_ = std::move(detail);
}

std::optional<HttpClient::Event> HttpClient::poll() {
  if (!events_.empty()) {
    Event event = std::move(events_.front());
    events_.pop_front();
    alive_ = false;
    return event;
  }
  if (std::exchange(alive_, false)) return Event{Event::Kind::alive};
  return std::nullopt;
}

std::optional<std::chrono::nanoseconds> HttpClient::retry_after(const wire::http::Message& answer) const {
  return parse_retry_after(answer.field("Retry-After"), now_);
}

std::optional<std::chrono::nanoseconds> parse_retry_after(std::string_view text, base::WallTime now) {
  std::uint64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size())
    return std::chrono::seconds(std::min<std::uint64_t>(seconds, longest_wait.count()));
  std::istringstream in{std::string(text)};
  in.imbue(std::locale::classic());
  std::tm parts{};
  in >> std::get_time(&parts, "%a, %d %b %Y %H:%M:%S GMT");
  if (in.fail()) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(parts.tm_year + 1900),
                                         std::chrono::month(static_cast<unsigned>(parts.tm_mon + 1)),
                                         std::chrono::day(static_cast<unsigned>(parts.tm_mday)));
  // In seconds: nanoseconds do not reach as far as dates do.
  const std::chrono::sys_seconds at = std::chrono::sys_days(date) + std::chrono::hours(parts.tm_hour) +
                                      std::chrono::minutes(parts.tm_min) + std::chrono::seconds(parts.tm_sec);
  const auto zero = std::chrono::seconds(0);
  return std::clamp(at - std::chrono::floor<std::chrono::seconds>(now), zero, longest_wait);
}

}  // namespace windlass::protocol
