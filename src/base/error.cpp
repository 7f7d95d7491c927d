#include <string>

#include <windlass/error.h>

namespace windlass {
namespace {

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "windlass"; }
  std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::closed:
        return "closed";
      case errc::queue_full:
        return "the queue is full";
      case errc::too_large:
        return "the publish alone exceeds the budget";
      case errc::no_events:
        return "there is no event to publish";
      case errc::attempts_exhausted:
        return "every send attempt failed";
      case errc::no_worker:
        return "no worker drew the event in time";
      case errc::rejected:
        return "the endpoint rejected the event";
      case errc::undeliverable:
        return "endpoints that serve others fail with the event";
      case errc::no_workers_configured:
        return "there is no worker to send with";
      case errc::connect_failed:
        return "the connection could not be made";
      case errc::connection_lost:
        return "the connection was lost";
      case errc::timeout:
        return "no sign of life in time";
      case errc::no_progress:
        return "alive, but no acknowledgement in time";
      case errc::protocol_error:
        return "the peer broke the protocol";
      case errc::throttled:
        return "the endpoint is overloaded";
      case errc::temporary:
        return "temporary failure";
      case errc::denied:
        return "the endpoint denies what is asked of it";
      case errc::abandoned:
        return "the client dropped the batch without an answer";
      case errc::damaged:
        return "the stored event was damaged";
      case errc::queue_in_use:
        return "the queue is in use by another process";
      case errc::unknown_format:
        return "the queue was written by a newer version";
    }
    return "unknown error " + std::to_string(value);
  }
};

}  // namespace

const std::error_category& error_category() noexcept {
  static const Category category;
  return category;
}

std::error_code make_error_code(errc code) noexcept {
  return {static_cast<int>(code), error_category()};
}

ErrorClass classify(const std::error_code& error) noexcept {
  if (error.category() == error_category()) {
    switch (static_cast<errc>(error.value())) {
      case errc::rejected:
      case errc::undeliverable:
      case errc::too_large:
        return ErrorClass::permanent;
      case errc::throttled:
        return ErrorClass::throttled;
      case errc::connect_failed:
      case errc::connection_lost:
      case errc::timeout:
      case errc::no_progress:
      case errc::protocol_error:
      case errc::denied:
        return ErrorClass::connection_fatal;
      default:
        return ErrorClass::retryable;
    }
  }
  if (error == std::errc::resource_unavailable_try_again || error == std::errc::operation_would_block ||
      error == std::errc::no_buffer_space)
    return ErrorClass::throttled;
  if (error == std::errc::invalid_argument || error == std::errc::message_size) return ErrorClass::permanent;
  return ErrorClass::connection_fatal;
}

}  // namespace windlass
