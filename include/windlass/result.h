// Windlass: what a client says of a batch that it was given.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <windlass/error.h>

namespace windlass {

/// The outcome of one send, event by event. An event is acknowledged unless it stands in `rest` or its index is at or
/// beyond `rest_from`; what is not acknowledged is sent again, elsewhere where possible, or dropped when its attempts
/// are used up. Made by the functions below; the fields are open for clients that know more.
struct PublishResult {
  /// One event that was not acknowledged, and why. An error of class permanent rejects this event for good; any other,
  /// and none, sends it again.
  struct Unpublished {
    std::uint32_t index = 0;
    std::error_code why;
    std::string detail = {};  ///< what the endpoint said of it, for people; may be empty
    friend bool operator==(const Unpublished&, const Unpublished&) = default;
  };

  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

  /// Events from this index on were not acknowledged, for the reason `error`.
  std::uint32_t rest_from = none;
  /// Single events below `rest_from` that were not acknowledged, each once; best by ascending index.
  std::vector<Unpublished> rest;
  /// What happened to the connection or the endpoint; none when both are fine. classify() decides what follows:
  /// retryable and throttled rest the worker, connection_fatal closes it, permanent rejects [rest_from, end).
  /// Without an error, what is handed back costs no attempt.
  std::error_code error;
  /// What the endpoint said of `error`, for people; may be empty.
  std::string detail;
  /// With a throttled answer: the time for which the endpoint asked to be spared, where it named one.
  std::optional<std::chrono::nanoseconds> retry_after;

  friend bool operator==(const PublishResult&, const PublishResult&) = default;

  static PublishResult acked() { return {}; }
  /// Nothing of the batch was acknowledged.
  static PublishResult failed(std::error_code error) { return acked_first(0, error); }
  /// The first `count` events were acknowledged, and then this happened.
  static PublishResult acked_first(std::uint32_t count, std::error_code error) {
    PublishResult result;
    result.rest_from = count;
    result.error = error;
    return result;
  }
  /// Everything but these was acknowledged; the endpoint is fine.
  static PublishResult returned(std::vector<Unpublished> rest) {
    PublishResult result;
    result.rest = std::move(rest);
    return result;
  }
  static PublishResult throttled(std::optional<std::chrono::nanoseconds> retry_after = std::nullopt) {
    PublishResult result = failed(errc::throttled);
    result.retry_after = retry_after;
    return result;
  }
};

}  // namespace windlass
