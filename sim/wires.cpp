#include "wires.h"

#include <algorithm>
#include <utility>

#include <windlass/error.h>

#include "protocol/lumberjack_client.h"
#include "protocol/lumberjack_server.h"
#include "violation.h"
#include "wire/lumberjack_encoder.h"

namespace windlass::sim {
namespace {

// Who: the worker; what: the connection.
namespace kind_of {
constexpr std::uint32_t connected = kind::of_network;
constexpr std::uint32_t refused = connected + 1;
constexpr std::uint32_t disconnected = connected + 2;
constexpr std::uint32_t at_server = connected + 3;  // bytes arrive
constexpr std::uint32_t at_client = connected + 4;
constexpr std::uint32_t served = connected + 5;  // the oldest complete window is done
constexpr std::uint32_t partly_served = connected + 6;
constexpr std::uint32_t keep_alive = connected + 7;
constexpr std::uint32_t cut = connected + 8;
}  // namespace kind_of

}  // namespace

void Pipe::write(base::ByteQueue& from, Stage& stage, base::Duration latency, std::uint32_t arrival_kind,
                 std::uint32_t who, std::uint64_t what) {
  const auto most = static_cast<std::uint64_t>(stage.scenario.fragment);
  while (!from.empty()) {
    const std::size_t count = std::min<std::size_t>(from.size(), 1 + stage.random.below(most));
    bytes_.append(from.view().substr(0, count));
    from.consume(count);
    pieces_.push_back(count);
    last_arrival_ = std::max(last_arrival_, stage.now + latency) + stage.up_to(std::chrono::microseconds(10));
    stage.agenda.add(last_arrival_, arrival_kind, who, what);
  }
}

std::string_view Pipe::arrive() {
  piece_.clear();
  piece_.append(bytes_.view().substr(0, pieces_.front()));
  bytes_.consume(pieces_.front());
  pieces_.pop_front();
  return piece_.view();
}

// ---------------------------------------------------------------------------------------------------------------------
// what the balancer asks for

void Wires::connect(core::ConnectionId connection) {
  if (wires_.size() <= connection.worker) wires_.resize(connection.worker + 1);
  const protocol::LumberjackClient::Options options{static_cast<int>(stage_.scenario.compression)};
  wires_[connection.worker] =
      std::make_unique<Wire>(Wire{connection, std::make_unique<protocol::LumberjackClient>(options),
                                  std::make_unique<protocol::LumberjackServer>()});
  const Host& host = hosts_.of(connection.worker);
  if (host.mode == Mode::down || stage_.fault(&Scenario::refuse))
    return stage_.later(2 * host.latency, kind_of::refused, connection.worker, connection.number);
  if (host.mode == Mode::black_hole || stage_.fault(&Scenario::hang)) return;
  stage_.later(2 * host.latency, kind_of::connected, connection.worker, connection.number);
  if (stage_.fault(&Scenario::idle_cut))
    stage_.later(2 * host.latency + stage_.up_to(4 * stage_.scenario.time(&Scenario::wait_retry)), kind_of::cut,
                 connection.worker, connection.number);
}

void Wires::disconnect(core::ConnectionId connection) {
  wires_[connection.worker]->open = false;
  stage_.later(std::chrono::microseconds(1), kind_of::disconnected, connection.worker, connection.number);
}

void Wires::send(core::WorkerId worker, std::uint32_t attempt, const Batch& batch) {
  Wire& wire = *wires_[worker];
  if (!wire.open) return;
  wire.client->send(attempt, batch);
  write_to_server(wire);
  // The cut may fall anywhere: while bytes are under way, or while the answer is.
  if (stage_.fault(&Scenario::cut))
    stage_.later(stage_.up_to(4 * hosts_.of(worker).latency), kind_of::cut, worker, wire.connection.number);
}

void Wires::went_down(core::WorkerId worker) {
  if (worker < wires_.size() && wires_[worker]) cut(*wires_[worker], errc::connection_lost);
}

// ---------------------------------------------------------------------------------------------------------------------
// what happens on the way

Wires::Wire* Wires::wire_of(const Happening& what) {
  Wire* wire = wires_[what.who].get();
  return wire->connection.number == what.what && wire->open ? wire : nullptr;
}

void Wires::happened(const Happening& what) {
  const core::ConnectionId connection{what.who, static_cast<std::uint32_t>(what.what)};
  if (what.kind == kind_of::disconnected) return inputs_.disconnected(connection);
  Wire* wire = wire_of(what);
  if (!wire) return;
  switch (what.kind) {
    case kind_of::connected:
      return inputs_.connected(connection);
    case kind_of::refused:
      wire->open = false;
      return inputs_.lost(connection, errc::connect_failed);
    case kind_of::cut:
      return cut(*wire, errc::connection_lost);
    case kind_of::at_server:
      wire->arrived.append(wire->to_server.arrive());
      return read_at_server(*wire);
    case kind_of::at_client:
      return read_at_client(*wire, wire->to_client.arrive());
    case kind_of::served:
      return serve(*wire);
    case kind_of::partly_served: {
      const std::uint32_t seen =
          wire->windows.empty() ? 0 : static_cast<std::uint32_t>(wire->windows.front().events.size());
      if (seen > 1) acknowledge(*wire, static_cast<std::uint32_t>(stage_.random.below(seen)));
      return;
    }
    case kind_of::keep_alive:
      if (wire->windows.empty() || stage_.healed) return;
      wire->server->keep_alive();
      write_to_client(*wire);
      return keep_alive_later(*wire);
  }
}

void Wires::cut(Wire& wire, std::error_code error) {
  if (!wire.open) return;
  wire.open = false;
  stage_.trace.add({stage_.now, Step::Kind::cut, wire.connection.worker, wire.connection.number, 0,
                    wire.to_server.under_way(), wire.to_client.under_way()});
  inputs_.lost(wire.connection, error);
}

void Wires::write_to_server(Wire& wire) {
  wire.to_server.write(wire.client->output(), stage_, hosts_.of(wire.connection.worker).latency, kind_of::at_server,
                       wire.connection.worker, wire.connection.number);
}

void Wires::write_to_client(Wire& wire) {
  wire.to_client.write(wire.server->output(), stage_, hosts_.of(wire.connection.worker).latency, kind_of::at_client,
                       wire.connection.worker, wire.connection.number);
}

// ---------------------------------------------------------------------------------------------------------------------
// the server and its application

void Wires::read_at_server(Wire& wire) {
  for (;;) {
    poll_server(wire);
    if (!wire.server->wants_input() || wire.arrived.empty()) return;
    const std::size_t count = std::min<std::size_t>(wire.arrived.size(), 65536);
    wire.server->receive(wire.arrived.view().substr(0, count));
    wire.arrived.consume(count);
  }
}

void Wires::poll_server(Wire& wire) {
  using Event = protocol::ServerConversation::Event;
  while (const auto event = wire.server->poll()) {
    switch (event->kind) {
      case Event::Kind::window_begun:
        wire.windows.emplace_back();
        break;
      case Event::Kind::event:
        wire.windows.back().events.push_back(expect_whole(event->payload));
        if (wire.windows.back().events.size() != event->number)
          throw Violation("a server sees every event once", "events were counted wrong");
        break;
      case Event::Kind::window_complete:
        wire.windows.back().complete = true;
        begin_serving(wire);
        break;
    }
  }
  if (wire.server->error())
    throw Violation("a server understands our client", std::string(wire.server->error_detail()));
}

void Wires::begin_serving(Wire& wire) {
  Host& host = hosts_.of(wire.connection.worker);
  Window& window = wire.windows.back();
  const core::ConnectionId id = wire.connection;
  if (host.mode == Mode::failing) return stage_.later(base::Duration(0), kind_of::cut, id.worker, id.number);
  window.stuck = host.mode == Mode::black_hole || host.mode == Mode::keep_alive || stage_.fault(&Scenario::never);
  if (host.mode == Mode::keep_alive || host.mode == Mode::throttled || stage_.fault(&Scenario::keep_alive))
    keep_alive_later(wire);
  base::Time at = hosts_.serve(host, window.events.size());
  if (std::any_of(window.events.begin(), window.events.end(),
                  [&](EventNumber event) { return spoils(stage_.scenario, event); }))
    return stage_.agenda.add(at, kind_of::cut, id.worker, id.number);
  const base::Duration timeout = stage_.scenario.time(&Scenario::timeout);
  if (host.mode == Mode::throttled) at += timeout / 2;
  if (stage_.fault(&Scenario::late)) at += timeout + stage_.up_to(stage_.scenario.time(&Scenario::progress_timeout));
  if (stage_.fault(&Scenario::partial))
    stage_.agenda.add(stage_.now + stage_.up_to(at - stage_.now), kind_of::partly_served, id.worker, id.number);
  if (!window.stuck) stage_.agenda.add(at, kind_of::served, id.worker, id.number);
}

void Wires::keep_alive_later(Wire& wire) {
  stage_.later(stage_.scenario.time(&Scenario::timeout) / 3, kind_of::keep_alive, wire.connection.worker,
               wire.connection.number);
}

void Wires::serve(Wire& wire) {
  // Acks go in the order of windows: behind one that is stuck, everything is.
  if (wire.windows.empty() || !wire.windows.front().complete || wire.windows.front().stuck) return;
  if (stage_.fault(&Scenario::out_of_range)) {
    const auto beyond = static_cast<std::uint32_t>(wire.windows.front().events.size() + 1 + stage_.random.below(100));
    wire::lumberjack::encode_ack(beyond, wire.server->output());
    return write_to_client(wire);
  }
  acknowledge(wire, static_cast<std::uint32_t>(wire.windows.front().events.size()));
  read_at_server(wire);
}

void Wires::acknowledge(Wire& wire, std::uint32_t count) {
  Window& window = wire.windows.front();
  for (std::uint32_t index = 0; index < count; ++index) inputs_.peer_took(window.events[index]);
  wire.server->ack(count);
  if (count == window.events.size()) {
    wire.windows.pop_front();
  } else if (stage_.fault(&Scenario::repeated)) {
    // The same ack again, or one that counts less far.
    wire::lumberjack::encode_ack(static_cast<std::uint32_t>(stage_.random.below(count + 1)), wire.server->output());
  }
  write_to_client(wire);
}

// ---------------------------------------------------------------------------------------------------------------------
// the client

void Wires::read_at_client(Wire& wire, std::string_view bytes) {
  using Event = protocol::ClientConversation::Event;
  const core::ConnectionId connection = wire.connection;
  const std::error_code error = wire.client->receive(bytes);
  while (const auto event = wire.client->poll()) {
    const auto attempt = static_cast<std::uint32_t>(event->token);
    switch (event->kind) {
      case Event::Kind::progress:
        inputs_.progress(attempt, event->count);
        break;
      case Event::Kind::done:
        inputs_.result(attempt, event->result);
        break;
      case Event::Kind::alive:
        inputs_.alive(connection);
        break;
    }
  }
  if (error) cut(wire, error);
}

}  // namespace windlass::sim
