// A network in which every connection is a client and a server of a protocol, joined by two pipes of bytes.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/bytes.h"
#include "dialects.h"
#include "hosts.h"
#include "stage.h"

namespace windlass::sim {

/// Bytes on their way in one direction, in pieces that arrive one after another.
class Pipe {
 public:
  /// Cuts what waits in `from` into pieces, each of up to `fragment` bytes.
  void write(base::ByteQueue& from, Stage& stage, base::Duration latency, std::uint32_t arrival_kind, std::uint32_t who,
             std::uint64_t what);
  /// The piece that arrives now. Valid until the next call.
  std::string_view arrive();
  std::uint32_t under_way() const { return static_cast<std::uint32_t>(bytes_.size()); }

 private:
  base::ByteQueue bytes_;
  base::ByteQueue piece_;
  std::deque<std::size_t> pieces_;
  base::Time last_arrival_{};
};

/// Latency, any fragmentation, cuts in the middle of a frame; and servers that acknowledge late, in part, again, beyond
/// the window, never, or say only that they live; that refuse events and whole requests, where the protocol has words
/// for it. Where a conversation may end in good order, the next batch opens another one, as it does in the program.
class Wires final : public Network {
 public:
  Wires(Stage& stage, Hosts& hosts, Inputs& inputs)
      : stage_(stage), hosts_(hosts), inputs_(inputs), dialect_(stage.scenario) {}

  void connect(core::ConnectionId connection) override;
  void disconnect(core::ConnectionId connection) override;
  void send(core::WorkerId worker, std::uint32_t attempt, const Batch& batch) override;
  void happened(const Happening& what) override;
  void went_down(core::WorkerId worker) override;

 private:
  /// A window as the server's application sees it.
  struct Window {
    std::vector<EventNumber> events;
    std::vector<bool> taken;  ///< of each: whether it is not refused
    bool complete = false;
    bool stuck = false;  ///< never acknowledged in full
  };
  struct Sent {
    std::uint32_t attempt;
    Batch batch;
  };
  struct Wire {
    core::ConnectionId connection;
    std::unique_ptr<protocol::ClientConversation> client = {};  ///< none between two conversations
    std::unique_ptr<protocol::ServerConversation> server = {};
    std::uint32_t life = 0;  ///< counts conversations
    bool open = true;
    bool opening = false;    ///< another conversation
    bool connected = false;  ///< the balancer was told
    bool deaf = false;       ///< the server has closed, and reads no more
    std::deque<Sent> waiting = {};
    std::deque<Sent> sent = {};
    Pipe to_server = {};
    Pipe to_client = {};
    base::ByteQueue arrived = {};  ///< at the server, and not yet read by it
    std::deque<Window> windows = {};
  };

  Wire* wire_of(const Happening& what);
  static std::uint64_t id(const Wire& wire) { return wire.connection.number | std::uint64_t{wire.life} << 32; }
  base::WallTime wall_time() const;
  void begin(Wire& wire);
  void open_again(Wire& wire);
  void flush(Wire& wire);
  void tell_answers(Wire& wire);
  void proceed(Wire& wire, std::error_code error);
  void answer_badly(Wire& wire);
  void write_to_server(Wire& wire);
  void write_to_client(Wire& wire);
  void read_at_server(Wire& wire);
  void poll_server(Wire& wire);
  bool take(Wire& wire, EventNumber event);
  void begin_serving(Wire& wire);
  void acknowledge(Wire& wire, std::uint32_t count);
  void serve(Wire& wire);
  void cut(Wire& wire, std::error_code error);
  void keep_alive_later(Wire& wire);

  Stage& stage_;
  Hosts& hosts_;
  Inputs& inputs_;
  Dialect dialect_;
  std::unordered_set<EventNumber> stored_;    ///< by whom keeps ids
  std::vector<std::unique_ptr<Wire>> wires_;  ///< by worker: the last one
};

}  // namespace windlass::sim
