#include "app/endpoint_watch.h"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "app/config_error.h"
#include "app/endpoint_set.h"
#include "app/file_watch.h"
#include "app/hosts.h"
#include "app/name_watch.h"
#include "app/output.h"
#include "net/resolver.h"

namespace windlass::app {
namespace {

/// Until endpoints that could not join, as certificates cannot be read, say, are tried again.
constexpr std::chrono::seconds retry_interval{1};

}  // namespace

class EndpointWatch::Impl {
 public:
  Impl(const OutputConfig& output, Watch& watch)
      : output_(output),
        watch_(watch),
        configured_(output.hosts.begin(), output.hosts.end() - static_cast<std::ptrdiff_t>(output.hosts_in_file)),
        in_file_(output.hosts.end() - static_cast<std::ptrdiff_t>(output.hosts_in_file), output.hosts.end()),
        set_(!output.loadbalance),
        retry_timer_(context_),
        resolver_(context_),
        names_(
            context_, resolver_, {output.each_address, output.resolve_interval, output.tls.has_value()},
            [this] { apply(); }, [&watch](bool is_wrong, const std::string& line) { watch.tell(is_wrong, line); }) {
    if (output_.tls) output_.tls->on_change = [&watch](bool used, const std::string& news) { watch.tell(!used, news); };
    if (!output.hosts_file.empty()) file_.emplace(output.hosts_file, default_port(output.type, output.tls.has_value()));
  }

  void stop() {
    context_.stop();
    if (thread_.joinable()) thread_.join();
  }

  WorkerFactory workers() {
    if (!changes()) return workers_of(output_);
    names_.watch(configured());
    return workers_of(part(become_all().join));
  }

  void start(LoadBalancer& balancer) {
    if (!changes()) return;
    balancer_ = &balancer;
    if (file_) file_watch_.emplace(context_, output_.hosts_file, [this] { look_at_file(); });
    thread_ = std::thread([this] {
      const auto guard = boost::asio::make_work_guard(context_);
      context_.run();
    });
  }

 private:
  bool changes() const { return file_ || output_.each_address || std::ranges::any_of(configured_, is_service); }

  std::vector<Host> configured() const {
    std::vector<Host> hosts = configured_;
    hosts.insert(hosts.end(), in_file_.begin(), in_file_.end());
    return hosts;
  }

  EndpointSet::Change become_all() {
    std::vector<Host> hosts = names_.endpoints();
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

  void look_at_file() {
    try {
      std::optional<std::vector<Host>> hosts = file_->look();
      if (!hosts) return;
      in_file_ = std::move(*hosts);
      names_.watch(configured());
    } catch (const ConfigError& error) {
      return watch_.tell(true, fmt::format("{}; the endpoints stay as they are", error.what()));
    }
    apply();
  }

  void apply() {
    const EndpointSet before = set_;
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
      set_ = before;
      return try_again(error.what());
    }
    failure_.clear();
    if (!change.leave.empty()) watch_.tell(false, fmt::format("leaving: {}", fmt::join(change.leave, ", ")));
    if (!joins.empty()) watch_.tell(false, fmt::format("joining: {}", fmt::join(joins, ", ")));
  }

  void try_again(const std::string& failure) {
    if (failure != std::exchange(failure_, failure))
      watch_.tell(true, fmt::format("endpoints that are to join do not, which is tried again: {}", failure));
    retry_timer_.expires_after(retry_interval);
    retry_timer_.async_wait([this](boost::system::error_code error) {
      if (!error) apply();
    });
  }

  OutputConfig output_;
  Watch& watch_;
  const std::vector<Host> configured_;
  std::vector<Host> in_file_;
  EndpointSet set_;
  LoadBalancer* balancer_ = nullptr;
  std::optional<HostsFile> file_;
  boost::asio::io_context context_;
  std::optional<FileWatch> file_watch_;
  boost::asio::steady_timer retry_timer_;
  std::string failure_;  ///< why endpoints do not join
  net::Resolver resolver_;
  NameWatch names_;
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
