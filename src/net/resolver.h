// Names to addresses, without ever waiting for them: the system's lookup may hang for as long as it likes.
#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "net/address.h"
#include "net/dns_answer.h"

namespace boost::asio {
class io_context;
}

namespace windlass::net {

/// Codes of getaddrinfo (EAI_NONAME, ...), with the system's texts.
const std::error_category& lookup_category() noexcept;

/// What somebody wants to know of a name.
struct NameQuestion {
  enum class About {
    addresses,           ///< of a host
    addresses_and_time,  ///< of a host, and for how long they hold
    services,            ///< the targets of SRV records, and for how long they hold
  };
  About about = About::addresses;
  std::string name;

  friend auto operator<=>(const NameQuestion&, const NameQuestion&) = default;
};

/// What was asked for, and nothing else.
struct NameAnswer {
  std::vector<SocketAddress> addresses;  ///< in the system's order, with any port; at least one
  std::vector<ServiceTarget> targets;    ///< at least one
  /// Where it is known. As DNS has it, 0 included.
  std::optional<std::chrono::seconds> time_to_live;
};

/// Blocks until it knows the answer, or an error; ask_system in production. Called from several threads.
using NameLookup = std::function<std::error_code(const NameQuestion& question, NameAnswer& answer)>;

/// The threads that wait for the system's lookups. They are detached and own what they touch, so that nobody ever waits
/// for them: not a cancelled lookup, not a destructor, not the end of the process. Thread-safe; usually one a process.
class LookupThreads {
 public:
  /// At most `max_threads` lookups run at once, the others wait for a thread; beyond `max_lookups` in all they fail.
  struct Limits {
    std::size_t max_threads = 16;
    std::size_t max_lookups = 1024;
  };

  LookupThreads(NameLookup look_up, Limits limits);
  explicit LookupThreads(NameLookup look_up) : LookupThreads(std::move(look_up), Limits()) {}
  /// Lookups that are under way are left behind.
  ~LookupThreads();
  LookupThreads(const LookupThreads&) = delete;
  LookupThreads& operator=(const LookupThreads&) = delete;

  /// Those of this process, which ask the system.
  static LookupThreads& of_process();

 private:
  friend class Resolver;
  class Impl;
  std::shared_ptr<Impl> impl_;
};

/// Looks names up on behalf of one io_context. Lookups of one name that overlap share one call of the system's, so a
/// name that hangs holds one thread, however often it is tried. Used from the io_context's thread.
class Resolver {
 public:
  /// The addresses in the system's order (at least one and at most max_addresses), or an error: a code of
  /// lookup_category(), or std::errc::resource_unavailable_try_again when too many lookups are under way.
  using Callback = std::function<void(std::error_code, const std::vector<SocketAddress>&)>;
  /// The answer, or an error: as above, or for services a DnsError.
  using AnswerCallback = std::function<void(std::error_code, const NameAnswer&)>;

  static constexpr std::size_t max_addresses = 64;

  /// A lookup under way. Destroying it abandons it: the callback is not called any more.
  class Lookup {
   public:
    struct Request;

    Lookup() = default;
    Lookup(Lookup&&) noexcept = default;
    Lookup& operator=(Lookup&& other) noexcept;
    ~Lookup() { abandon(); }

    void abandon() noexcept;

   private:
    friend class Resolver;
    explicit Lookup(std::shared_ptr<Request> request) : request_(std::move(request)) {}
    std::shared_ptr<Request> request_;
  };

  /// `context` must outlive the resolver; lookups may outlive both.
  explicit Resolver(boost::asio::io_context& context) : Resolver(context, LookupThreads::of_process()) {}
  Resolver(boost::asio::io_context& context, LookupThreads& threads);
  /// Abandons what is under way.
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// Finds the addresses of `name.host`, each with `name.port`. The callback comes from the io_context, never from in
  /// here; it may destroy the lookup, or the resolver. A literal address asks nobody.
  [[nodiscard]] Lookup look_up(const HostPort& name, Callback callback);
  /// The same for any question.
  [[nodiscard]] Lookup ask(NameQuestion question, AnswerCallback callback);

 private:
  class Mailbox;
  std::shared_ptr<Mailbox> mailbox_;
  std::shared_ptr<LookupThreads::Impl> threads_;
};

}  // namespace windlass::net
