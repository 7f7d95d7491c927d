// What is in HTTP requests, and what answers to them mean.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <windlass/result.h>

#include "base/bytes.h"
#include "base/time.h"
#include "wire/bulk.h"

namespace windlass::protocol {

class HttpPayload {
 public:
  virtual ~HttpPayload() = default;

  virtual std::string_view content_type() const = 0;
  /// Appends one event to the body. Returns what is wrong with one that can never be sent, of which nothing is
  /// appended; empty: it was appended.
  virtual std::string_view add(std::string_view event, base::WallTime now, base::ByteQueue& body) = 0;
  /// The last one was added.
  virtual void finish(base::ByteQueue&) {}
  /// Reads the body of an answer of the class 2xx: appends the events that were not taken, `sent` being the places of
  /// those in the request. Returns what is wrong with the answer, then nothing is appended; empty: it is fine.
  virtual std::string read_answer(std::string_view body, const std::vector<std::uint32_t>& sent,
                                  std::vector<PublishResult::Unpublished>& rest) = 0;
};

/// Events as lines (NDJSON), or as one JSON array; the status says it all.
class JsonPayload final : public HttpPayload {
 public:
  explicit JsonPayload(bool array) : array_(array) {}

  std::string_view content_type() const override { return array_ ? "application/json" : "application/x-ndjson"; }
  std::string_view add(std::string_view event, base::WallTime now, base::ByteQueue& body) override;
  void finish(base::ByteQueue& body) override;
  std::string read_answer(std::string_view, const std::vector<std::uint32_t>&,
                          std::vector<PublishResult::Unpublished>&) override {
    return {};
  }

 private:
  const bool array_;
};

/// Elasticsearch's _bulk. Of an item's status: below 300 fine; 409 to create fine, as the document is there; 429 and
/// 5xx sent again; 401, and 403 unless it is told to reject them, sent again, too; any other rejected.
class BulkPayload final : public HttpPayload {
 public:
  struct Options {
    wire::bulk::Operation operation = wire::bulk::Operation::create;
    wire::bulk::IndexName index;
    bool reject_forbidden = false;
  };

  explicit BulkPayload(const Options& options);

  std::string_view content_type() const override { return "application/x-ndjson"; }
  std::string_view add(std::string_view event, base::WallTime now, base::ByteQueue& body) override;
  std::string read_answer(std::string_view body, const std::vector<std::uint32_t>& sent,
                          std::vector<PublishResult::Unpublished>& rest) override;

 private:
  const wire::bulk::Operation operation_;
  const bool reject_forbidden_;
  wire::bulk::RequestEncoder encoder_;
};

}  // namespace windlass::protocol
