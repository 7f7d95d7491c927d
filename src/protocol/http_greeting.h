// HTTP, a question in the place of events: who serves here, and does it take us for who we are? No I/O, no clock.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#include "protocol/client_conversation.h"
#include "wire/http.h"

namespace windlass::protocol {

/// GET of the root of an Elasticsearch or OpenSearch. Ready once that is answered; it takes no batches. An answer of
/// 401 is an error (errc::denied), as is one of 429 and 5xx (errc::temporary). Others tell nothing of whether events
/// would be taken: whoever may write need not be allowed to ask this.
class HttpGreeting final : public ClientConversation {
 public:
  /// With Host and credentials among the fields.
  HttpGreeting(std::string target, wire::http::Fields fields);

  void start() override;
  bool ready() const override { return !said_.empty(); }
  void send(std::uint64_t token, const Batch& batch) override;
  base::ByteQueue& output() override { return output_; }
  std::error_code receive(std::string_view bytes) override;
  std::optional<Event> poll() override { return std::nullopt; }
  std::string_view error_detail() const override { return error_detail_; }

  /// Once ready: whether the answer was of the class 2xx, and it in words, with the server's name and version where
  /// they are in it.
  bool fine() const { return fine_; }
  const std::string& said() const { return said_; }

 private:
  const std::string target_;
  const wire::http::Fields fields_;
  wire::http::Decoder decoder_;
  base::ByteQueue output_;
  bool fine_ = false;
  std::string said_;
  std::string error_detail_;
};

}  // namespace windlass::protocol
