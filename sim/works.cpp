#include "works.h"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>
#include <utility>

#include "violation.h"

namespace windlass::sim {

void Works::offered(std::uint32_t publish, base::Time now) {
  const Deliveries::Publish& what = deliveries_.publish(publish);
  fresh_.push_back({publish, what.first, what.first + what.count, 0, now});
}

// ---- sending

std::uint32_t Works::sent(const Batch& batch, const std::string& endpoint, base::Time now) {
  if (batch.empty()) throw Violation("a batch has events", "an empty one was sent");
  if (batch.size() > options_.bulk_max_events)
    throw Violation("a batch keeps its limits", fmt::format("{} events", batch.size()));
  if (batch.size() > 1 && batch.bytes() > options_.bulk_max_bytes)
    throw Violation("a batch keeps its limits", fmt::format("{} bytes", batch.bytes()));
  const EventNumber first = number_of(*batch.begin());
  if (first >= deliveries_.next_event())
    throw Violation("only what was published is sent", fmt::format("event #{}", first));
  const Deliveries::Event& event = deliveries_.event(first);
  if (event.fate == Fate::acked) throw Violation("acked events are not sent again", fmt::format("event #{}", first));
  if (event.fate > Fate::acked) throw Violation("what has ended is not sent", fmt::format("event #{}", first));
  if (event.fate == Fate::flying) return sent_twice(batch, event.work);
  charge_waits(now);
  const std::uint32_t number =
      event.work == Deliveries::no_work ? sent_first(batch, endpoint, now) : sent_again(batch, event.work, now);
  ++works_[number].sends;
  paid_until(now);
  return number;
}

std::uint32_t Works::sent_again(const Batch& batch, std::uint32_t number, base::Time now) {
  Work& work = works_[number];
  if (batch.size() != work.events.size())
    throw Violation("a batch that waits is sent as it is",
                    fmt::format("{} events instead of {}", batch.size(), work.events.size()));
  auto expected = work.events.begin();
  for (const std::string_view event : batch) {
    const EventNumber sent = number_of(event);
    if (sent != *expected++)
      throw Violation("a batch that waits is sent as it is", fmt::format("event #{} came in", sent));
  }
  if (work.yields) {
    if (new_work() && fresh_sends_ < 8)
      throw Violation("what keeps failing does not hold up new work", fmt::format("event #{}", work.events.front()));
    fresh_sends_ = 0;
  }
  if (work.ready.surely_ahead(now))
    throw Violation("what keeps failing waits before it is sent again", fmt::format("event #{}", work.events.front()));
  if (work.state == Work::State::doubtful) {
    // It was sent, so it was not dropped.
    --doubtful_;
    deliveries_.move(work.events, Fate::queued);
    work.spent_at_most = std::min(work.spent_at_most, options_.max_attempts - 1);
  }
  deliveries_.move(work.events, Fate::flying);
  remove_waiting(number);
  work.state = Work::State::flying;
  work.copies = 1;
  work.hedged = work.progressed = false;
  return number;
}

std::uint32_t Works::sent_twice(const Batch& batch, std::uint32_t number) {
  Work& work = works_[number];
  const EventNumber first = number_of(*batch.begin());
  if (work.copies != 1 || options_.max_duplicates == 0)
    throw Violation("one live attempt an event, or two copies of it",
                    fmt::format("event #{} is sent again while {} are under way", first, work.copies));
  if (work.hedged) throw Violation("a batch in flight is hedged once", fmt::format("event #{}", first));
  const auto open =
      static_cast<std::size_t>(std::count_if(work.events.begin(), work.events.end(), [&](EventNumber one) {
        return deliveries_.event(one).fate == Fate::flying;
      }));
  if (batch.size() != open)
    throw Violation("a second copy holds what its batch still waits for",
                    fmt::format("{} events instead of {}", batch.size(), open));
  auto expected = work.events.end() - static_cast<std::ptrdiff_t>(open);
  for (const std::string_view event : batch)
    if (number_of(event) != *expected++)
      throw Violation("a second copy holds what its batch still waits for",
                      fmt::format("event #{} came in", number_of(event)));
  work.copies = 2;
  work.hedged = true;
  deliveries_.count_hedged(open);
  return number;
}

std::uint32_t Works::sent_first(const Batch& batch, const std::string& endpoint, base::Time now) {
  for (const std::uint32_t number : waiting_) {
    const Work& other = works_[number];
    if (other.state == Work::State::waiting && other.ready.surely_past(now) && !other.failed_last_at(endpoint) &&
        !other.yields)
      throw Violation("what failed goes ahead of new work", fmt::format("event #{} waits", other.events.front()));
  }
  Work work;
  work.copies = 1;
  work.patience = patience_;
  ++fresh_sends_;
  work.events.reserve(batch.size());
  const auto number = static_cast<std::uint32_t>(works_.size());
  for (const std::string_view event : batch) {
    const EventNumber sent = number_of(event);
    if (fresh_.empty() || fresh_.front().next != sent)
      throw Violation("new work goes in the order of arrival", fmt::format("event #{}", sent));
    Fresh& front = fresh_.front();
    if (work.events.empty()) {
      work.spent_at_least = work.spent_at_most = front.spent;
      work.unlimited = unlimited(front.publish);
    } else if (work.unlimited != unlimited(front.publish) || work.spent_at_least != front.spent) {
      throw Violation("what travels together has the same attempts left", fmt::format("event #{}", sent));
    }
    deliveries_.event(sent).work = number;
    work.events.push_back(sent);
    if (++front.next == front.end) fresh_.pop_front();
  }
  deliveries_.move(work.events, Fate::flying);
  works_.push_back(std::move(work));
  return number;
}

// ---- waiting

void Works::set_waiting(std::uint32_t number) {
  works_[number].state = Work::State::waiting;
  waiting_.push_back(number);
}

void Works::remove_waiting(std::uint32_t number) {
  waiting_.erase(std::find(waiting_.begin(), waiting_.end(), number));
}

void Works::renew(Work& work) {
  work.failures = 0;
  work.failed_elsewhere = false;
  work.failed_at = Work::nobody;
  work.left_over_at.reset();
  work.patience.succeeded();
  work.suspicion = {};
}

void Works::take_back(std::uint32_t number, std::vector<EventNumber> rest, bool progressed, base::Time now) {
  Work& work = works_[number];
  work.progressed |= progressed;
  if (progressed) renew(work);
  if (work.copies > 0) return;  // the attempt goes on
  work.ready = work.waiting_since = Moment::at(now);
  if (work.progressed) work.spent_at_least = work.spent_at_most = 0;
  deliveries_.count_retried(rest.size(), true);
  work.events = std::move(rest);
  deliveries_.move(work.events, Fate::queued);
  set_waiting(number);
}

unsigned Works::serving(const Suspicion& suspicion) const {
  unsigned count = 0;
  for (const std::string& accuser : suspicion.accusers) {
    const auto before = suspicion.served_before.find(accuser);
    const auto by_now = served_.find(accuser);
    count += by_now != served_.end() && (before == suspicion.served_before.end() || before->second < by_now->second);
  }
  return count;
}

void Works::give_back(std::uint32_t number, std::vector<EventNumber> rest, const Failure& failure, base::Time now) {
  Work& work = works_[number];
  work.progressed |= failure.progressed;
  if (failure.progressed) {
    renew(work);
    if (failure.left_over) work.left_over_at = failure.endpoint;
  } else if (failure.suspicious) {
    if (!work.suspicion.begun) work.suspicion.served_before = served_;
    work.suspicion.begun = true;
    work.suspicion.named &= !failure.of_each.empty();
    work.suspicion.accusers.insert(failure.endpoint);
    ++work.suspicion.failures;
  }
  work.failed_elsewhere |= work.failed_at != Work::nobody && work.failed_endpoint != failure.endpoint;
  work.failed_at = failure.worker;
  work.failed_endpoint = failure.endpoint;
  ++work.failures;
  const Moment wait = work.patience.failed(now);
  work.ready = work.failures > 1 ? wait : Moment::at(now);
  work.waiting_since = work.ready;
  if (work.copies > 0) return;  // the attempt goes on

  const std::size_t events = rest.size();
  work.events = std::move(rest);
  deliveries_.move(work.events, Fate::queued);
  set_waiting(number);
  const bool costs_attempt = failure.costs_attempt && !work.progressed;
  const unsigned accusers_that_serve = serving(work.suspicion);
  const bool named = !failure.of_each.empty();
  const bool is_event = events == 1 || (named && work.suspicion.names_events());
  const bool undeliverable = costs_attempt && is_event &&
                             (accusers_that_serve > 1 || (accusers_that_serve == 1 && work.suspicion.failures > 2));
  if (undeliverable && options_.dead_letter) {
    remove_waiting(number);
    work.state = Work::State::over;
    const std::vector<std::string> accusers(work.suspicion.accusers.begin(), work.suspicion.accusers.end());
    for (std::size_t index = 0; index < events; ++index)
      deliveries_.give_up(work.events[index],
                          {errc::undeliverable, named ? failure.of_each[index] : failure.error, work.sends, accusers},
                          true);
    return;
  }
  const bool splits = !is_event && !work.suspicion.names_events() && work.suspicion.failures > 1 &&
                      (work.unlimited || accusers_that_serve > 0);
  const bool begins_anew = splits && accusers_that_serve > 0;
  work.failed_elsewhere |= splits;
  work.yields = is_event && work.suspicion.failures > 2;
  if (work.progressed) work.spent_at_least = work.spent_at_most = 0;
  if (begins_anew) {
    work.spent_at_least = work.spent_at_most = 0;
    work.failures = 0;
    work.patience.succeeded();
    work.ready = Moment::at(now);
  } else if (costs_attempt && !work.unlimited) {
    ++work.spent_at_least;
    ++work.spent_at_most;
    if (work.spent_at_least >= options_.max_attempts) {
      finish(number, undeliverable ? errc::undeliverable : errc::attempts_exhausted, true);
    } else if (work.spent_at_most >= options_.max_attempts) {
      doubt(number);
    }
  }
  work.waiting_since = work.ready;
  if (work.state == Work::State::over) return;
  deliveries_.count_retried(events, work.state == Work::State::waiting);
  if (splits) split(number);
}

void Works::split(std::uint32_t number) {
  works_[number].suspicion = {{}, 0, true, true, true, served_};
  const auto second_number = static_cast<std::uint32_t>(works_.size());
  works_.push_back(works_[number]);
  Work& first = works_[number];
  Work& second = works_[second_number];
  const auto half = static_cast<std::ptrdiff_t>(first.events.size() / 2);
  first.events.erase(first.events.begin() + half, first.events.end());
  second.events.erase(second.events.begin(), second.events.begin() + half);
  for (const EventNumber event : second.events) deliveries_.event(event).work = second_number;
  waiting_.push_back(second_number);
  if (second.state == Work::State::doubtful) ++doubtful_;
}

void Works::doubt(std::uint32_t number) {
  works_[number].state = Work::State::doubtful;
  ++doubtful_;
  deliveries_.move(works_[number].events, Fate::doubtful);
}

void Works::finish(std::uint32_t number, errc reason, bool certain) {
  Work& work = works_[number];
  if (work.state == Work::State::doubtful) --doubtful_;
  if (work.state != Work::State::flying) remove_waiting(number);
  work.state = Work::State::over;
  deliveries_.drop(work.events, reason, certain);
}

int Works::spent_by_waiting(base::Time since, int spent, base::Time now) const {
  const auto waits = std::max<std::int64_t>(0, (now - std::max(since, last_draw_)) / options_.timeout);
  return static_cast<int>(std::min<std::int64_t>(spent + waits, options_.max_attempts - 1));
}

void Works::charge_waits(base::Time now) {
  if (options_.max_attempts == 0 || now - last_draw_ < options_.timeout) return;
  for (const std::uint32_t number : waiting_) {
    Work& work = works_[number];
    if (work.unlimited) continue;
    work.spent_at_least = spent_by_waiting(work.waiting_since.latest, work.spent_at_least, now);
    work.spent_at_most = spent_by_waiting(work.waiting_since.earliest, work.spent_at_most, now);
  }
  for (Fresh& fresh : fresh_)
    if (!unlimited(fresh.publish)) fresh.spent = spent_by_waiting(fresh.waiting_since, fresh.spent, now);
}

void Works::expire(base::Time now) {
  if (options_.max_attempts == 0 || base::after(last_draw_, options_.timeout) > now) return;
  const std::vector<std::uint32_t> waiting = waiting_;
  for (const std::uint32_t number : waiting) {
    const Work& work = works_[number];
    if (work.unlimited) continue;
    if (expiry(work.waiting_since.latest, work.spent_at_least) <= now) {
      finish(number, errc::no_worker, work.state == Work::State::waiting);
    } else if (work.state == Work::State::waiting && expiry(work.waiting_since.earliest, work.spent_at_most) <= now) {
      doubt(number);  // jitter decides
    }
  }
  std::erase_if(fresh_, [&](const Fresh& fresh) {
    if (unlimited(fresh.publish) || expiry(fresh.waiting_since, fresh.spent) > now) return false;
    std::vector<EventNumber> rest(fresh.end - fresh.next);
    std::iota(rest.begin(), rest.end(), fresh.next);
    deliveries_.drop(rest, errc::no_worker);
    return true;
  });
}

void Works::close() {
  const std::vector<std::uint32_t> waiting = waiting_;
  for (const std::uint32_t number : waiting) finish(number, errc::closed, works_[number].state == Work::State::waiting);
  for (const Fresh& fresh : fresh_) {
    std::vector<EventNumber> rest(fresh.end - fresh.next);
    std::iota(rest.begin(), rest.end(), fresh.next);
    deliveries_.drop(rest, errc::closed);
  }
  fresh_.clear();
}

void Works::dropped(std::uint32_t publish, std::uint32_t first, std::uint32_t count) {
  const Deliveries::Publish& what = deliveries_.publish(publish);
  const EventNumber end = what.first + std::min(what.count, first + count);
  for (EventNumber event = what.first + first; event < end; ++event)
    if (deliveries_.event(event).fate == Fate::doubtful)
      finish(deliveries_.event(event).work, errc::attempts_exhausted, false);
}

void Works::resolve(const Ledger& ledger) {
  if (doubtful_ == 0) return;
  const std::uint64_t gone = deliveries_.dropped_of_doubtful(ledger);
  if (gone > 0 && gone < deliveries_.doubtful()) return;
  const std::vector<std::uint32_t> waiting = waiting_;
  for (const std::uint32_t number : waiting) {
    Work& work = works_[number];
    if (work.state != Work::State::doubtful) continue;
    if (gone > 0) {
      finish(number, errc::attempts_exhausted, false);
    } else {
      work.state = Work::State::waiting;
      --doubtful_;
      deliveries_.move(work.events, Fate::queued);
    }
  }
}

bool Works::nothing_due_before(base::Time next, base::Time now) const {
  const bool may_expire = options_.max_attempts > 0 && base::after(last_draw_, options_.timeout) < next;
  for (const std::uint32_t number : waiting_) {
    const Work& work = works_[number];
    if (work.state != Work::State::waiting) continue;
    if (work.ready.surely_ahead(now) && work.ready.latest < next) return false;
    if (may_expire && !work.unlimited && expiry(work.waiting_since.latest, work.spent_at_least) < next) return false;
  }
  return !may_expire || std::none_of(fresh_.begin(), fresh_.end(), [&](const Fresh& fresh) {
    return !unlimited(fresh.publish) && expiry(fresh.waiting_since, fresh.spent) < next;
  });
}

}  // namespace windlass::sim
