#include "wires.h"

#include <algorithm>
#include <utility>

#include <windlass/error.h>

#include "violation.h"
#include "wire/http.h"
#include "wire/lumberjack_encoder.h"

namespace windlass::sim {
namespace {

// Who: the worker; what: the connection, and in its upper half the conversation over it.
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
constexpr std::uint32_t opened_again = connected + 9;
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

// ---- what the balancer asks for

void Wires::connect(core::ConnectionId connection) {
  if (wires_.size() <= connection.worker) wires_.resize(connection.worker + 1);
  wires_[connection.worker] = std::make_unique<Wire>(Wire{.connection = connection});
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
  wire.waiting.push_back({attempt, dialect_.dressed(batch)});
  // The cut may fall anywhere: while bytes are under way, or while the answer is.
  if (stage_.fault(&Scenario::cut))
    stage_.later(stage_.up_to(4 * hosts_.of(worker).latency), kind_of::cut, worker, id(wire));
  if (wire.client) return flush(wire);
  if (!wire.opening) open_again(wire);
}

void Wires::went_down(core::WorkerId worker) {
  if (worker < wires_.size() && wires_[worker]) cut(*wires_[worker], errc::connection_lost);
}

// ---- what happens on the way

Wires::Wire* Wires::wire_of(const Happening& what) {
  Wire* wire = wires_[what.who].get();
  return id(*wire) == what.what && wire->open ? wire : nullptr;
}

base::WallTime Wires::wall_time() const {
  return base::WallTime(std::chrono::duration_cast<base::WallTime::duration>(stage_.now.time_since_epoch()));
}

void Wires::happened(const Happening& what) {
  const core::ConnectionId connection{what.who, static_cast<std::uint32_t>(what.what)};
  if (what.kind == kind_of::disconnected) return inputs_.disconnected(connection);
  Wire* wire = wire_of(what);
  if (!wire) return;
  switch (what.kind) {
    case kind_of::connected:
    case kind_of::opened_again:
      return begin(*wire);
    case kind_of::refused:
      wire->open = false;
      return inputs_.lost(connection, errc::connect_failed);
    case kind_of::cut:
      return cut(*wire, errc::connection_lost);
    case kind_of::at_server:
      wire->arrived.append(wire->to_server.arrive());
      return read_at_server(*wire);
    case kind_of::at_client:
      wire->client->tell_time(wall_time());
      return proceed(*wire, wire->client->receive(wire->to_client.arrive()));
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

/// The connection stands.
void Wires::begin(Wire& wire) {
  wire.opening = wire.deaf = false;
  wire.client = dialect_.make_client();
  wire.server = dialect_.make_server();
  wire.client->start();
  write_to_server(wire);
  proceed(wire, {});
}

/// A conversation has ended in good order, and there is something to send.
void Wires::open_again(Wire& wire) {
  wire.opening = true;
  const Host& host = hosts_.of(wire.connection.worker);
  const core::WorkerId worker = wire.connection.worker;
  if (host.mode == Mode::down || stage_.fault(&Scenario::refuse))
    return stage_.later(2 * host.latency, kind_of::refused, worker, id(wire));
  if (host.mode == Mode::black_hole || stage_.fault(&Scenario::hang)) return;
  stage_.later(2 * host.latency, kind_of::opened_again, worker, id(wire));
}

void Wires::cut(Wire& wire, std::error_code error) {
  if (!wire.open || (!wire.client && wire.connected && !wire.opening)) return;
  stage_.trace.add({stage_.now, Step::Kind::cut, wire.connection.worker, wire.connection.number, 0,
                    wire.to_server.under_way(), wire.to_client.under_way()});
  if (!wire.client) {
    wire.open = false;
    return inputs_.lost(wire.connection, error);
  }
  wire.client->tell_time(wall_time());
  proceed(wire, wire.client->receive_end(error));
}

void Wires::write_to_server(Wire& wire) {
  wire.to_server.write(wire.client->output(), stage_, hosts_.of(wire.connection.worker).latency, kind_of::at_server,
                       wire.connection.worker, id(wire));
}

void Wires::write_to_client(Wire& wire) {
  wire.to_client.write(wire.server->output(), stage_, hosts_.of(wire.connection.worker).latency, kind_of::at_client,
                       wire.connection.worker, id(wire));
}

// ---- the server and its application

void Wires::read_at_server(Wire& wire) {
  while (!wire.deaf) {
    poll_server(wire);
    write_to_client(wire);  // what it answers by itself
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
      case Event::Kind::event: {
        Window& window = wire.windows.back();
        window.events.push_back(dialect_.undressed(event->payload));
        if (window.events.size() != event->number)
          throw Violation("a server sees every event once", "events were counted wrong");
        window.taken.push_back(take(wire, window.events.back()));
        break;
      }
      case Event::Kind::window_complete:
        wire.windows.back().complete = true;
        begin_serving(wire);
        break;
    }
  }
  if (wire.server->error())
    throw Violation("a server understands our client", std::string(wire.server->error_detail()));
}

/// Whether the server's application takes the event; it has said so already where it does not.
bool Wires::take(Wire& wire, EventNumber event) {
  using Refusal = protocol::ServerConversation::Refusal;
  if (!wire.server->can_refuse()) return true;
  std::optional<Refusal> why;
  if (stored_.contains(event))
    why = Refusal::duplicate;
  else if (stage_.scenario.poisoning < 1 && poisoned(stage_.scenario, event))
    why = Refusal::rejected;
  else if (stage_.fault(&Scenario::throttle))
    why = Refusal::throttled;
  if (why) wire.server->refuse(*why);
  return !why;
}

void Wires::begin_serving(Wire& wire) {
  Host& host = hosts_.of(wire.connection.worker);
  Window& window = wire.windows.back();
  const core::ConnectionId id = wire.connection;
  const std::uint64_t here = Wires::id(wire);
  if (host.mode == Mode::failing) return stage_.later(base::Duration(0), kind_of::cut, id.worker, here);
  window.stuck = host.mode == Mode::black_hole || host.mode == Mode::keep_alive || stage_.fault(&Scenario::never);
  if (host.mode == Mode::keep_alive || host.mode == Mode::throttled || stage_.fault(&Scenario::keep_alive))
    keep_alive_later(wire);
  base::Time at = hosts_.serve(host, window.events.size());
  if (std::any_of(window.events.begin(), window.events.end(),
                  [&](EventNumber event) { return spoils(stage_.scenario, event); }))
    return stage_.agenda.add(at, kind_of::cut, id.worker, here);
  const base::Duration timeout = stage_.scenario.time(&Scenario::timeout);
  if (host.mode == Mode::throttled) at += timeout / 2;
  if (stage_.fault(&Scenario::late)) at += timeout + stage_.up_to(stage_.scenario.time(&Scenario::progress_timeout));
  if (stage_.fault(&Scenario::partial))
    stage_.agenda.add(stage_.now + stage_.up_to(at - stage_.now), kind_of::partly_served, id.worker, here);
  if (!window.stuck) stage_.agenda.add(at, kind_of::served, id.worker, here);
}

void Wires::keep_alive_later(Wire& wire) {
  stage_.later(stage_.scenario.time(&Scenario::timeout) / 3, kind_of::keep_alive, wire.connection.worker, id(wire));
}

void Wires::serve(Wire& wire) {
  // Acks go in the order of windows: behind one that is stuck, everything is.
  if (wire.windows.empty() || !wire.windows.front().complete || wire.windows.front().stuck) return;
  if (dialect_.is_http() && (stage_.fault(&Scenario::fail) || stage_.fault(&Scenario::out_of_range)))
    return answer_badly(wire);
  if (dialect_.protocol() == Protocol::lumberjack && stage_.fault(&Scenario::out_of_range)) {
    const auto beyond = static_cast<std::uint32_t>(wire.windows.front().events.size() + 1 + stage_.random.below(100));
    wire::lumberjack::encode_ack(beyond, wire.server->output());
    return write_to_client(wire);
  }
  acknowledge(wire, static_cast<std::uint32_t>(wire.windows.front().events.size()));
  read_at_server(wire);
}

void Wires::acknowledge(Wire& wire, std::uint32_t count) {
  Window& window = wire.windows.front();
  for (std::uint32_t index = 0; index < count; ++index) {
    if (!window.taken[index]) continue;
    inputs_.peer_took(window.events[index]);
    if (wire.server->can_refuse()) stored_.insert(window.events[index]);
  }
  wire.server->ack(count);
  if (count == window.events.size()) {
    wire.windows.pop_front();
  } else if (dialect_.protocol() == Protocol::lumberjack && stage_.fault(&Scenario::repeated)) {
    // The same ack again, or one that counts less far.
    wire::lumberjack::encode_ack(static_cast<std::uint32_t>(stage_.random.below(count + 1)), wire.server->output());
  }
  write_to_client(wire);
}

/// An answer of HTTP that is none of the application's, and the end of the connection.
void Wires::answer_badly(Wire& wire) {
  static constexpr unsigned statuses[] = {301, 400, 404, 408, 413, 422, 429, 500, 503};
  const auto choice = stage_.random.below(std::size(statuses) + 1);
  const bool unreadable = choice == std::size(statuses) && dialect_.protocol() == Protocol::elasticsearch;
  const unsigned status = unreadable ? 200 : statuses[std::min<std::uint64_t>(choice, std::size(statuses) - 1)];
  wire::http::Fields fields;
  if (stage_.random.chance(0.5)) fields.emplace_back("Retry-After", std::to_string(stage_.random.below(3)));
  const std::string_view body = unreadable ? R"({"errors":false,"items":[]})" : "{}";
  wire::http::encode_response(status, fields, body, false, wire.server->output());
  write_to_client(wire);
  wire.deaf = true;
  wire.windows.clear();
}

// ---- the client, and what joins it to the balancer in the program

void Wires::flush(Wire& wire) {
  while (!wire.waiting.empty() && wire.client->can_send()) {
    wire.sent.push_back(std::move(wire.waiting.front()));
    wire.waiting.pop_front();
    wire.client->tell_time(wall_time());
    wire.client->send(wire.sent.back().attempt, wire.sent.back().batch);
    tell_answers(wire);
    if (!wire.open) return;
  }
  write_to_server(wire);
}

void Wires::tell_answers(Wire& wire) {
  using Event = protocol::ClientConversation::Event;
  while (const auto event = wire.client->poll()) {
    const auto attempt = static_cast<std::uint32_t>(event->token);
    const auto of =
        std::find_if(wire.sent.begin(), wire.sent.end(), [&](const Sent& sent) { return sent.attempt == attempt; });
    switch (event->kind) {
      case Event::Kind::progress:
        inputs_.progress(attempt, event->count);
        break;
      case Event::Kind::done:
        wire.sent.erase(of);
        inputs_.result(attempt, event->result);
        break;
      case Event::Kind::again:
        wire.waiting.push_front(std::move(*of));
        wire.sent.erase(of);
        break;
      case Event::Kind::alive:
        inputs_.alive(wire.connection);
        break;
    }
  }
}

void Wires::proceed(Wire& wire, std::error_code error) {
  tell_answers(wire);
  if (error) {
    wire.open = false;
    return inputs_.lost(wire.connection, error);
  }
  if (!wire.connected && wire.client->ready()) {
    wire.connected = true;
    inputs_.connected(wire.connection);
  }
  if (!wire.client->finished()) return flush(wire);
  // What is still on its way belongs to nobody any more.
  ++wire.life;
  wire.client.reset();
  wire.server.reset();
  wire.to_server = {};
  wire.to_client = {};
  wire.arrived.clear();
  wire.windows.clear();
  if (!wire.waiting.empty()) open_again(wire);
}

}  // namespace windlass::sim
