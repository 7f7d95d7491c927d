// The endpoints' machines: how fast each is, and what is wrong with it for the time being.
#pragma once

#include <cstdint>
#include <vector>

#include "stage.h"

namespace windlass::sim {

enum class Mode : std::uint8_t {
  well,
  down,        ///< refuses connects; connections were cut when it began
  black_hole,  ///< takes everything, answers nothing
  slow,        ///< a twentieth of its speed
  keep_alive,  ///< signs of life, and nothing else
  throttled,   ///< asks for less
  failing,     ///< fails at once
};

struct Host {
  Mode mode = Mode::well;
  base::Duration latency{0};        ///< one way
  base::Duration service{0};        ///< of one event
  base::Duration service_batch{0};  ///< of one batch, besides
  base::Time busy_until{};
};

class Hosts {
 public:
  explicit Hosts(Stage& stage);

  Host& of(core::WorkerId worker) { return hosts_[place(worker)]; }
  /// The number of the host that this worker's connections go to.
  std::uint32_t place(core::WorkerId worker) const { return places_[worker]; }
  /// A worker that was not there before, or another one of this id.
  void join(core::WorkerId worker, std::uint32_t host);
  /// An endpoint's mode changes. Answers with whether it went down.
  bool change(std::uint32_t host);
  void heal();
  /// When this host, which does one thing after another, will be done with so many events more.
  base::Time serve(Host& host, std::size_t events);
  std::uint32_t count() const { return static_cast<std::uint32_t>(hosts_.size()); }

 private:
  Stage& stage_;
  const base::Duration healthy_service_;  ///< the longest time for a batch
  std::vector<Host> hosts_;
  std::vector<std::uint32_t> places_;  ///< of the workers
};

}  // namespace windlass::sim
