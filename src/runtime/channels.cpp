#include "runtime/channels.h"

#include <utility>

#include <windlass/client.h>
#include <windlass/error.h>

namespace windlass::runtime {
namespace {

/// For people. To be called while an exception is being handled.
std::string what_was_thrown() {
  try {
    throw;
  } catch (const std::exception& error) {
    return std::string("the client threw: ") + error.what();
  } catch (...) {
    return "the client threw";
  }
}

}  // namespace

AsyncClient* Channels::Channel::async() const {
  const auto* const pointer = std::get_if<std::unique_ptr<AsyncClient>>(&client);
  return pointer ? pointer->get() : nullptr;
}

SyncThread* Channels::Channel::sync() const {
  const auto* const thread = std::get_if<std::unique_ptr<SyncThread>>(&client);
  return thread ? thread->get() : nullptr;
}

void Channels::add(core::WorkerId id, Worker worker) {
  place_of(id) = make(std::move(worker.endpoint), std::move(worker.another), std::move(worker.client));
}

Channels::Channel& Channels::place_of(core::WorkerId id) {
  if (id >= channels_.size()) channels_.resize(id + 1);
  return channels_[id];
}

Channels::Channel Channels::make(std::string endpoint, std::function<Worker::Client()> another,
                                 Worker::Client client) const {
  Channel channel;
  channel.endpoint = std::move(endpoint);
  channel.another = std::move(another);
  if (auto* const sync = std::get_if<std::unique_ptr<SyncClient>>(&client)) {
    channel.client = std::make_unique<SyncThread>(std::move(*sync), door_);
  } else {
    channel.client = std::move(std::get<std::unique_ptr<AsyncClient>>(client));
  }
  return channel;
}

void Channels::connect(core::ConnectionId connection, std::chrono::milliseconds timeout) {
  Channel& channel = channels_[connection.worker];
  channel.wanted = connection;
  door_->begin(connection);
  if (auto* const thread = channel.sync()) return thread->connect(connection, timeout);
  const Link link(door_, connection.worker, connection.number);
  try {
    channel.async()->connect(link, timeout);
  } catch (...) {
    link.lost(errc::connect_failed, what_was_thrown());
  }
}

bool Channels::disconnect(core::ConnectionId connection) {
  Channel& channel = channels_[connection.worker];
  channel.wanted.reset();
  if (auto* const thread = channel.sync()) {
    thread->close(connection);
    return false;
  }
  channel.async()->close();
  return true;
}

void Channels::send(core::Send& send) {
  Channel& channel = channels_[send.worker];
  if (auto* const thread = channel.sync()) return thread->publish(send.attempt, std::move(send.batch));
  try {
    channel.async()->publish(std::move(send.batch), Completion(door_, send.attempt));
  } catch (...) {
    if (channel.wanted)
      Link(door_, channel.wanted->worker, channel.wanted->number).lost(errc::connection_lost, what_was_thrown());
  }
}

void Channels::replace(const core::Replace& replace) {
  const Channel& worker = channels_[replace.worker];
  Channel successor = make(worker.endpoint, worker.another, worker.another());
  place_of(replace.successor) = std::move(successor);
}

void Channels::remove(core::WorkerId id) {
  if (auto* const thread = channels_[id].sync()) {
    // Its last close() may be still to come; it is waited for at the end, as those of others are.
    thread->stop();
    leaving_.push_back(std::move(std::get<std::unique_ptr<SyncThread>>(channels_[id].client)));
    std::erase_if(leaving_, [](const auto& one) { return one->has_ended(); });
  }
  channels_[id] = {};
}

void Channels::finish(std::chrono::steady_clock::time_point deadline) {
  for (const Channel& channel : channels_)
    if (auto* const thread = channel.sync()) thread->stop();
  for (const Channel& channel : channels_)
    if (auto* const thread = channel.sync()) thread->finish(deadline);
  for (const auto& thread : leaving_) thread->finish(deadline);
}

void Channels::note_end(core::ConnectionId connection, std::string detail) {
  if (is_wanted(connection)) channels_[connection.worker].lost_detail = std::move(detail);
}

}  // namespace windlass::runtime
