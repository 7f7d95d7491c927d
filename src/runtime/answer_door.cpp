#include "runtime/answer_door.h"

#include <iterator>
#include <utility>

#include <windlass/client.h>

namespace windlass::runtime {

void AnswerDoor::post(Answer answer) {
  const bool hint = std::holds_alternative<Progress>(answer) || std::holds_alternative<Alive>(answer);
  if (loop_->on_thread()) {
    if (!hint || own_.size() < max_hints) own_.push_back(std::move(answer));
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || (hint && others_.size() >= max_hints)) return;
    others_.push_back(std::move(answer));
    if (filled_.load(std::memory_order_relaxed)) return;
    filled_.store(true);
  }
  loop_->wake();
}

bool AnswerDoor::first_connected(core::ConnectionId connection) {
  const std::lock_guard lock(mutex_);
  Connection& latest = connections_[connection.worker];
  return latest.number == connection.number && !latest.lost && !std::exchange(latest.connected, true);
}

bool AnswerDoor::first_lost(core::ConnectionId connection) {
  const std::lock_guard lock(mutex_);
  Connection& latest = connections_[connection.worker];
  return latest.number == connection.number && !std::exchange(latest.lost, true);
}

void AnswerDoor::begin(core::ConnectionId connection) {
  const std::lock_guard lock(mutex_);
  if (connection.worker >= connections_.size()) connections_.resize(connection.worker + 1);
  connections_[connection.worker] = {connection.number, false, false};
}

void AnswerDoor::take(std::vector<Answer>& answers) {
  answers.clear();
  answers.swap(own_);
  if (!filled_.load(std::memory_order_relaxed)) return;
  const std::lock_guard lock(mutex_);
  filled_.store(false, std::memory_order_relaxed);
  answers.insert(answers.end(), std::make_move_iterator(others_.begin()), std::make_move_iterator(others_.end()));
  others_.clear();
}

void AnswerDoor::close() {
  own_.clear();
  const std::lock_guard lock(mutex_);
  closed_ = true;
  others_.clear();
}

}  // namespace windlass::runtime

namespace windlass {

void Link::connected() const {
  const core::ConnectionId connection{worker_, connection_};
  if (door_ && door_->first_connected(connection)) door_->post(runtime::Connected{connection});
}

void Link::lost(std::error_code error, std::string detail) const {
  const core::ConnectionId connection{worker_, connection_};
  if (door_ && door_->first_lost(connection)) door_->post(runtime::Lost{connection, error, std::move(detail)});
}

void Link::alive() const {
  if (door_) door_->post(runtime::Alive{{worker_, connection_}});
}

Completion& Completion::operator=(Completion&& other) noexcept {
  if (this == &other) return *this;
  if (door_) failed(errc::abandoned);
  door_ = std::move(other.door_);
  attempt_ = other.attempt_;
  return *this;
}

Completion::~Completion() {
  if (door_) failed(errc::abandoned);
}

void Completion::progress(std::uint32_t count) const {
  if (door_) door_->post(runtime::Progress{attempt_, count});
}

void Completion::finish(PublishResult result) {
  if (const auto door = std::exchange(door_, nullptr)) door->post(runtime::Finished{attempt_, std::move(result)});
}

void Completion::acked() {
  finish(PublishResult::acked());
}

}  // namespace windlass
