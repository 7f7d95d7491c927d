// HTTP, the sending side: one conversation over one connection. No I/O, no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "protocol/client_conversation.h"
#include "protocol/http_payload.h"
#include "wire/deflate.h"
#include "wire/http.h"

namespace windlass::protocol {

/// What the connections to one endpoint, one after another, remember: how large a request may be. A server that
/// answers 413 usually closes as well. After many requests that were not too large the limit is raised again.
struct HttpMemory {
  std::size_t max_bytes = std::size_t{1} << 40;  ///< of the events in a request
  unsigned fine = 0;                             ///< requests in a row since the limit last changed
};

/// Sends each batch as one request, or as several where it would be too large for the server, and one request at a
/// time.
///
/// What an answer means:
///   2xx             what the payload says, event by event
///   413             the request is parted; a single event that is too large is rejected
///   429, 503        throttled, for as long as Retry-After says, in seconds or as a date
///   400, 409, 422   the batch fails: the balancer finds out whether it is an event of it, or the endpoint
///   408, 5xx        the batch fails likewise
///   any other       nobody is served who asks in this way (errc::denied): the connection is closed, the batch is kept
///
/// A server may close the connection after an answer, and also while none is owed. What meets such an end goes over the
/// next connection without blame, unless it was the first request of this one.
class HttpClient final : public ClientConversation {
 public:
  struct Options {
    std::string target = "/";
    wire::http::Fields fields;  ///< Host, authorization, and the user's; checked
    int compression_level = 0;  ///< 0: none; 1 (fast) to 9 (small), as gzip
    wire::http::DecoderLimits limits = {};
  };

  HttpClient(std::shared_ptr<const Options> options, std::unique_ptr<HttpPayload> payload,
             std::shared_ptr<HttpMemory> memory);

  bool can_send() const override { return !batch_ && !error_ && !finished_; }
  void tell_time(base::WallTime now) override { now_ = now; }
  void send(std::uint64_t token, const Batch& batch) override;
  base::ByteQueue& output() override { return output_; }
  std::error_code receive(std::string_view bytes) override;
  std::error_code receive_end(std::error_code reason) override;
  bool finished() const override { return finished_; }
  std::optional<Event> poll() override;
  std::string_view error_detail() const override { return error_detail_; }

 private:
  struct Part {
    std::uint32_t first;
    std::uint32_t count;
  };

  void send_next();
  void request(Part part);
  void on_answer(const wire::http::Message& answer);
  void on_success(const wire::http::Message& answer);
  void on_too_large();
  /// The batch ends here: what is not answered yet goes back, for this reason.
  void hand_back(std::error_code why, std::string detail,
                 std::optional<std::chrono::nanoseconds> retry_after = std::nullopt);
  /// The same, for no fault of anybody; what nothing came of is sent again by whoever gave it.
  void go_on_later();
  void fail(std::error_code error, std::string detail);
  std::optional<std::chrono::nanoseconds> retry_after(const wire::http::Message& answer) const;

  const std::shared_ptr<const Options> options_;
  const std::unique_ptr<HttpPayload> payload_;
  const std::shared_ptr<HttpMemory> memory_;
  std::optional<wire::Deflater> deflater_;
  wire::http::Decoder decoder_;
  base::WallTime now_{};

  std::uint64_t token_ = 0;
  std::optional<Batch> batch_;       // that is being sent
  std::deque<Part> parts_;           // of it, without an answer; the first one is under way
  std::vector<std::uint32_t> sent_;  // the events of that one, by their places in the batch
  PublishResult result_;
  bool asked_ = false;       // an answer is owed
  std::size_t answers_ = 0;  // on this connection
  bool finished_ = false;
  bool alive_ = false;
  std::deque<Event> events_;
  base::ByteQueue body_;
  base::ByteQueue packed_;
  base::ByteQueue output_;
  std::error_code error_;
  std::string error_detail_;
};

/// "120", or "Wed, 21 Oct 2015 07:28:00 GMT", as the time from `now` on; nothing when it is neither.
std::optional<std::chrono::nanoseconds> parse_retry_after(std::string_view text, base::WallTime now);

}  // namespace windlass::protocol
