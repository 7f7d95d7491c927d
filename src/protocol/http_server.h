// HTTP, the receiving side: takes events by POST, as lines, as a JSON array, or as Elasticsearch's _bulk. No I/O, no
// clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/bytes.h"
#include "protocol/server_conversation.h"
#include "wire/bulk_server.h"
#include "wire/http.h"

namespace windlass::protocol {

/// A window is a request, and is answered as a whole. One request is worked on at a time.
///
/// Of _bulk, whose ids count within an index: the id of an event is "index/id". An item that would not be stored, for
/// what it is or where it is to go, is an event that the conversation refuses itself.
class HttpServer final : public ServerConversation {
 public:
  struct Options {
    bool bulk = false;  ///< _bulk, answered item by item; else lines or an array, answered by the status alone
    std::vector<std::string> data_streams = {};    ///< of _bulk: patterns of names that are data streams, see matches()
    std::vector<std::string> blocked = {};         ///< likewise, of indexes that are not to be written to: 403
    unsigned status = 0;                           ///< answers every request with it, and takes nothing; 0: no
    std::size_t max_body = std::size_t{64} << 20;  ///< a larger one is answered by 413
  };

  explicit HttpServer(Options options);

  std::error_code receive(std::string_view bytes) override;
  std::optional<Event> poll() override;
  bool wants_input() const override;
  void ack(std::uint32_t count) override;
  bool can_refuse() const override { return options_.bulk; }
  void refuse(Refusal refusal) override;
  void replaced() override;
  base::ByteQueue& output() override { return output_; }
  bool finished() const override { return finished_; }
  std::size_t pending() const override { return open_ ? 1 : 0; }
  std::uint32_t oldest_count() const override { return open_ ? static_cast<std::uint32_t>(items_.size()) : 0; }
  std::uint32_t oldest_acked() const override { return 0; }
  std::error_code error() const override { return error_; }
  std::string_view error_detail() const override { return decoder_.error_detail(); }

 private:
  void take(const wire::http::Message& request);
  /// A request for something else than to store events.
  void answer_other(const wire::http::Message& request, std::string_view path);
  void answer_no_handler(const wire::http::Message& request);
  void open();
  void take_bulk(const wire::http::Message& request, const wire::http::Target& target);
  void take_lines(const wire::http::Message& request);
  bool read_lines(const wire::http::Message& request);
  void check(wire::bulk::Item& item) const;
  void answer(unsigned status, std::string_view body, wire::http::Fields fields = {});

  const Options options_;
  wire::http::Decoder decoder_;
  bool hungry_ = true;
  bool keep_alive_ = true;
  bool head_ = false;
  bool open_ = false;        // a request is being worked on
  bool begun_ = false;       // it was announced
  std::uint32_t given_ = 0;  // events of it
  bool complete_ = false;    // so was its end
  std::vector<wire::bulk::Item> items_;
  wire::bulk::AnswerFilter filter_;
  std::string id_;                     // of the event that was polled last
  std::vector<std::string> elements_;  // of an array, which the items point into
  bool finished_ = false;
  base::ByteQueue body_;
  base::ByteQueue output_;
  std::error_code error_;
};

}  // namespace windlass::protocol
