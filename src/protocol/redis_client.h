// Redis, the sending side: one conversation over one connection. No I/O, no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <windlass/batch.h>
#include <windlass/redis.h>

#include "base/bytes.h"
#include "protocol/client_conversation.h"
#include "wire/resp.h"
#include "wire/resp_decoder.h"

namespace windlass::protocol {

/// Sends a batch as one RPUSH with all its events, or as a PUBLISH or an XADD for each event; these are pipelined, and
/// so are batches. Redis answers each command once, in order, so a batch may be taken in part.
///
/// The handshake is AUTH and SELECT, where they are needed, and a PING, by which a server that is of no use now (it is
/// still loading, or wants a password) is known before it is given a batch.
///
/// An error reply says nothing of an event, which is opaque to Redis, but of the server or of the configuration:
///   OOM                     the memory is used up: the events are throttled, the connection stands
///   READONLY, LOADING, BUSY, MASTERDOWN, CLUSTERDOWN, MISCONF, NOAUTH, WRONGPASS, NOPERM, MOVED, WRONGTYPE, and others
///                           nothing can be sent this way now: the conversation ends with errc::temporary and the
///                           error's text, so that events are held and a later connection finds out anew
///
/// What one may not conclude: that a command without a reply was not performed.
class RedisClient final : public ClientConversation {
 public:
  struct Options {
    RedisDataType data_type = RedisDataType::list;
    std::string key = {};
    std::string user = {};      ///< empty: Redis's own "default"
    std::string password = {};  ///< with an empty user, too: no AUTH
    unsigned database = 0;
  };

  explicit RedisClient(const Options& options);

  void start() override;
  bool ready() const override { return started_ && handshake_.empty(); }
  void send(std::uint64_t token, const Batch& batch) override;
  base::ByteQueue& output() override { return output_; }
  /// errc::connect_failed during the handshake; errc::temporary and errc::protocol_error later.
  std::error_code receive(std::string_view bytes) override;
  /// Batches in the order of sending; of each only the latest progress, and none once it is done; then one `alive` for
  /// all replies that were no progress.
  std::optional<Event> poll() override;

  /// Batches without a result.
  std::size_t pending() const { return batches_.size() - done_; }

  std::error_code error() const { return error_; }
  std::string_view error_detail() const override { return error_detail_; }

 private:
  struct Sent {
    std::uint64_t token;
    std::uint32_t count;      // events
    std::uint32_t replies;    // that are still to come
    std::uint32_t acked = 0;  // the first so many events are
    std::uint32_t reported = 0;
    std::vector<PublishResult::Unpublished> rest = {};
  };

  void on_reply(const wire::resp::Token& reply);
  void on_handshake_reply(const wire::resp::Token& reply);
  void on_publish_reply(Sent& batch, const wire::resp::Token& reply);
  void fail(std::error_code error, std::string detail);

  Options options_;
  wire::resp::CommandHead head_;
  wire::resp::Decoder decoder_;
  base::ByteQueue output_;
  bool started_ = false;
  std::deque<std::string_view> handshake_;  // commands whose replies are still to come
  std::deque<Sent> batches_;                // the first done_ have all replies, and wait to be told
  std::size_t done_ = 0;
  bool alive_ = false;
  std::error_code error_;
  std::string error_detail_;
};

}  // namespace windlass::protocol
