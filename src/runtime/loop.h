// What the balancer's thread runs, and how others wake it.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <thread>

#include "net/resolver.h"

namespace windlass::runtime {

/// The io_context and what hangs on it. One thread runs it; wake() and on_thread() are for any thread.
class Loop {
 public:
  boost::asio::io_context& context() { return context_; }
  net::Resolver& resolver() { return resolver_; }

  /// The calling thread is the one that runs the loop.
  void adopt_thread() { thread_.store(std::this_thread::get_id(), std::memory_order_relaxed); }
  /// No thread runs the loop any more. Its identity may soon be another's.
  void release_thread() { thread_.store({}, std::memory_order_relaxed); }
  bool on_thread() const { return thread_.load(std::memory_order_relaxed) == std::this_thread::get_id(); }

  /// Makes a loop that sleeps, or is about to, look for work again. Cheap when it does not. To be called after the work
  /// was announced by a sequentially consistent store: then either the loop sees the work, or this sees that the loop
  /// sleeps.
  void wake() {
    if (sleeping_.load() && sleeping_.exchange(false)) boost::asio::post(context_, [] {});
  }

  /// The loop must look for work once more before it sleeps.
  void about_to_sleep() { sleeping_.store(true); }
  void awake() { sleeping_.store(false, std::memory_order_relaxed); }

 private:
  boost::asio::io_context context_{1};
  net::Resolver resolver_{context_};
  std::atomic<bool> sleeping_{false};
  std::atomic<std::thread::id> thread_{};
};

}  // namespace windlass::runtime
