// Keeps what names among hosts stand for: the targets of services, and where that is wanted each address of a host.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "app/config.h"
#include "base/time.h"
#include "net/resolver.h"

namespace windlass::app {

/// Hosts whose names are asked for and their answers' endpoints: a service becomes its targets; where each address is
/// to be an endpoint, a name becomes its addresses. The service's own priority is added to those of its targets, its
/// weight multiplies theirs. On the io_context's thread.
class NameWatch {
 public:
  struct Options {
    bool each_address = false;  ///< of a host's name is an endpoint; else the name is one
    /// Between two lookups of a name; 0: for as long as its answer holds, at least shortest and at most longest.
    base::Duration interval{0};
    /// Whether certificates will be checked by names. What DNS says of services may be forged: targets outside of the
    /// service's domain have to show certificates for that domain.
    bool tls = false;
  };
  static constexpr base::Duration shortest = std::chrono::seconds(1);
  static constexpr base::Duration longest = std::chrono::hours(1);
  /// Where nobody says how long an answer holds.
  static constexpr base::Duration usual = std::chrono::seconds(30);
  /// After failures the wait grows from `shortest` to this; it is never longer than the interval.
  static constexpr base::Duration longest_after_failure = std::chrono::seconds(30);

  /// `on_change` is called when endpoints() may have changed. `tell` takes lines for the log: lookups that fail, each
  /// reason once. All that is given must outlive this.
  NameWatch(boost::asio::io_context& context, net::Resolver& resolver, Options options, std::function<void()> on_change,
            std::function<void(bool is_wrong, const std::string&)> tell);
  NameWatch(const NameWatch&) = delete;
  NameWatch& operator=(const NameWatch&) = delete;

  /// Looks up the names of these hosts from now on, those that are new at once, and forgets others.
  void watch(std::vector<Host> hosts);

  /// What the hosts stand for, as far as it is known. A name that is not found any more stands for what it stood for
  /// last; only a service that DNS says is not offered stands for nothing. At most OutputConfig::max_hosts.
  std::vector<Host> endpoints();

  /// The endpoints of a service with these targets.
  static std::vector<Host> targets_of(const Host& service, const std::vector<net::ServiceTarget>& targets, bool tls);
  /// Until a name is asked for again whose answer holds for that long, where that is known.
  static base::Duration wait_for(std::optional<std::chrono::seconds> time_to_live);

 private:
  struct Name {
    explicit Name(boost::asio::io_context& context) : timer(context) {}
    net::NameAnswer known;  ///< as last found
    std::error_code error;  ///< of the last lookup
    base::Duration retry{0};
    boost::asio::steady_timer timer;
    net::Resolver::Lookup lookup;
  };

  std::vector<Host> with_targets() const;
  std::optional<net::NameQuestion> question_of(const Host& host) const;
  void refresh();
  void look_up(const net::NameQuestion& question);
  void found(const net::NameQuestion& question, std::error_code error, const net::NameAnswer& answer);
  void failed(const net::NameQuestion& question, Name& name, std::error_code error);
  base::Duration wait_after(Name& name) const;

  boost::asio::io_context& context_;
  net::Resolver& resolver_;
  const Options options_;
  const std::function<void()> on_change_;
  const std::function<void(bool, const std::string&)> tell_;
  std::vector<Host> hosts_;
  std::map<net::NameQuestion, Name> names_;
  bool told_limit_ = false;
};

}  // namespace windlass::app
