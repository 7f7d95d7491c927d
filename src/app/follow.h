// From followed files to the balancer, and back to their positions.
#pragma once

#include <string>

#include <windlass/load_balancer.h>

#include "app/config.h"
#include "app/line_events.h"
#include "app/report.h"
#include "input/file_input.h"
#include "input/registry_directory.h"

namespace windlass::app {

/// Follows the files of Config::inputs. run() blocks; stop() may be called from other threads. To be made before the
/// balancer is, and to outlive it, as its signals come here.
class Follow {
 public:
  struct Options {
    bool once = false;
    bool json = false;
    std::string host;
  };

  /// Opens the registry. Throws std::runtime_error where it cannot be used.
  Follow(const Config& config, const Options& options);

  /// Reads and publishes until stop(); with `once`, to the ends of all files. False when it was ended before those.
  bool run(LoadBalancer& balancer);
  void stop() { input_.stop(); }
  /// After run(), once the balancer is drained or closed: saves the positions. False where that did not work.
  bool finish() { return input_.finish(); }

  /// After run().
  InputCounters counters() const;

 private:
  struct Door final : input::Publisher {
    input::FileInput* input = nullptr;
    LoadBalancer* balancer = nullptr;
    std::error_code publish(EventBuffer&& events, std::uint64_t token) override;
  };

  input::RegistryDirectory directory_;
  input::Registry registry_;
  LineEvents lines_;
  Door door_;
  bool once_;
  input::FileInput input_;
};

}  // namespace windlass::app
