#include "app/endpoint_watch.h"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "app/config_error.h"
#include "app/endpoint_set.h"
#include "app/hosts.h"
#include "app/output.h"
#include "net/resolver.h"

namespace windlass::app {
namespace {

/// Between two looks at the file of hosts; two of them must agree.
constexpr std::chrono::milliseconds file_interval{500};

}  // namespace

class EndpointWatch::Impl {
 public:
  Impl(const OutputConfig& output, Watch& watch)
      : output_(output),
        watch_(watch),
        configured_(output.hosts.begin(), output.hosts.end() - static_cast<std::ptrdiff_t>(output.hosts_in_file)),
        in_file_(output.hosts.end() - static_cast<std::ptrdiff_t>(output.hosts_in_file), output.hosts.end()),
        set_(!output.loadbalance),
        file_timer_(context_),
        name_timer_(context_),
        resolver_(context_) {
    if (output_.tls) output_.tls->on_change = [&watch](bool used, const std::string& news) { watch.tell(!used, news); };
    if (!output.hosts_file.empty()) file_.emplace(output.hosts_file, default_port(output.type, output.tls.has_value()));
  }

  void stop() {
    context_.stop();
    if (thread_.joinable()) thread_.join();
  }

  WorkerFactory workers() {
    if (!changes()) return workers_of(output_);
    return workers_of(part(become_all().join));
  }

  void start(LoadBalancer& balancer) {
    if (!changes()) return;
    balancer_ = &balancer;
    if (file_) look_at_file_later();
    if (resolves()) look_up_names();
    thread_ = std::thread([this] {
      const auto guard = boost::asio::make_work_guard(context_);
      context_.run();
    });
  }

 private:
  /// A name of hosts whose addresses are endpoints.
  struct Name {
    std::vector<net::SocketAddress> addresses;  ///< as last found
    std::error_code error;                      ///< of the last lookup
    net::Resolver::Lookup lookup;
    bool is_looked_up = false;  ///< at the moment
  };

  bool changes() const { return file_.has_value() || resolves(); }
  bool resolves() const { return output_.resolve_interval > base::Duration(0); }
  static bool is_name(const Host& host) { return !net::SocketAddress::from_literal(host.address.host, 0); }

  std::vector<Host> configured() const {
    std::vector<Host> hosts = configured_;
    hosts.insert(hosts.end(), in_file_.begin(), in_file_.end());
    return hosts;
  }

  /// Names that are looked up give way to their addresses.
  std::vector<Host> all_hosts() const {
    if (!resolves()) return configured();
    std::vector<Host> hosts;
    for (const Host& host : configured()) {
      if (!is_name(host)) {
        hosts.push_back(host);
        continue;
      }
      const auto known = names_.find(host.address.host);
      if (known == names_.end()) continue;
      for (net::SocketAddress address : known->second.addresses) {
        address.set_port(host.address.port);
        Host& endpoint = hosts.emplace_back(host);
        endpoint.address = net::parse_host_port(net::to_string(address), host.address.port);
        endpoint.server_name = host.address.host;
      }
    }
    if (hosts.size() <= OutputConfig::max_hosts) return hosts;
    watch_.tell(true,
                fmt::format("of {} endpoints {} are used, which is the limit", hosts.size(), OutputConfig::max_hosts));
    hosts.resize(OutputConfig::max_hosts);
    return hosts;
  }

  EndpointSet::Change become_all() {
    std::vector<Host> hosts = all_hosts();
    // Fleets that share a list of hosts must not all prefer the same one.
    if (set_.empty() && !hosts.empty()) {
      const std::size_t first = std::random_device()() % hosts.size();
      std::rotate(hosts.begin(), hosts.begin() + static_cast<std::ptrdiff_t>(first), hosts.end());
    }
    return set_.become(hosts);
  }

  /// The output with these hosts alone, whose priorities are settled.
  OutputConfig part(std::vector<Host> hosts) const {
    OutputConfig output = output_;
    output.hosts = std::move(hosts);
    output.loadbalance = true;
    return output;
  }

  void look_at_file_later() {
    file_timer_.expires_after(file_interval);
    file_timer_.async_wait([this](boost::system::error_code error) {
      if (error) return;
      look_at_file();
      look_at_file_later();
    });
  }

  void look_at_file() {
    try {
      std::optional<std::vector<Host>> hosts = file_->look();
      if (!hosts) return;
      in_file_ = std::move(*hosts);
      if (resolves()) look_up(true);
    } catch (const ConfigError& error) {
      return watch_.tell(true, fmt::format("{}; the endpoints stay as they are", error.what()));
    }
    apply();
  }

  void look_up_names() {
    look_up(false);
    name_timer_.expires_after(output_.resolve_interval);
    name_timer_.async_wait([this](boost::system::error_code error) {
      if (!error) look_up_names();
    });
  }

  /// All names, or those of which nothing is known yet. Forgets those that are not wanted any more.
  void look_up(bool only_new) {
    std::set<std::string> wanted;
    for (const Host& host : configured())
      if (is_name(host)) wanted.insert(host.address.host);
    std::erase_if(names_, [&](const auto& name) { return !wanted.contains(name.first); });
    for (const std::string& name : wanted) {
      const auto [place, is_new] = names_.try_emplace(name);
      if (place->second.is_looked_up || (only_new && !is_new)) continue;
      place->second.is_looked_up = true;
      place->second.lookup = resolver_.look_up(
          {name, 0}, [this, name](std::error_code error, const std::vector<net::SocketAddress>& addresses) {
            found(name, error, addresses);
          });
    }
  }

  void found(const std::string& name, std::error_code error, const std::vector<net::SocketAddress>& addresses) {
    Name& known = names_.at(name);
    known.is_looked_up = false;
    const bool is_news = error != std::exchange(known.error, error);
    if (error) {
      // What was found before is the best guess: who does not answer there any more is left alone by the balancer.
      if (is_news)
        watch_.tell(true, fmt::format("looking up {}: {}{}", name, error.message(),
                                      known.addresses.empty() ? "" : "; its endpoints stay as they are"));
      return;
    }
    known.addresses = addresses;
    apply();
  }

  void apply() {
    const EndpointSet::Change change = become_all();
    if (change.empty()) return;
    std::vector<std::string> joins;
    for (const Host& host : change.join) joins.push_back(net::to_string(host.address));
    try {
      // Made before anything leaves: certificates may have gone.
      const WorkerFactory workers = workers_of(part(change.join));
      for (const std::string& address : change.leave) balancer_->remove_workers(address, output_.timeout);
      if (!joins.empty()) balancer_->add_workers(workers);
    } catch (const std::exception& error) {
      return watch_.tell(true, fmt::format("endpoints that were to join did not: {}", error.what()));
    }
    if (!change.leave.empty()) watch_.tell(false, fmt::format("leaving: {}", fmt::join(change.leave, ", ")));
    if (!joins.empty()) watch_.tell(false, fmt::format("joining: {}", fmt::join(joins, ", ")));
  }

  OutputConfig output_;
  Watch& watch_;
  const std::vector<Host> configured_;
  std::vector<Host> in_file_;
  EndpointSet set_;
  LoadBalancer* balancer_ = nullptr;
  std::optional<HostsFile> file_;
  boost::asio::io_context context_;
  boost::asio::steady_timer file_timer_;
  boost::asio::steady_timer name_timer_;
  net::Resolver resolver_;
  std::map<std::string, Name> names_;
  std::thread thread_;
};

EndpointWatch::EndpointWatch(const OutputConfig& output, Watch& watch) : impl_(std::make_unique<Impl>(output, watch)) {}

EndpointWatch::~EndpointWatch() = default;

WorkerFactory EndpointWatch::workers() {
  return impl_->workers();
}

EndpointWatch::Running EndpointWatch::start(LoadBalancer& balancer) {
  impl_->start(balancer);
  return Running(*impl_);
}

EndpointWatch::Running::~Running() {
  impl_.stop();
}

}  // namespace windlass::app
