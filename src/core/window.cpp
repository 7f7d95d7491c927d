#include "core/window.h"

#include <algorithm>

namespace windlass::core {
namespace {

class FixedWindow final : public WindowPolicy {
 public:
  explicit FixedWindow(unsigned batches) : batches_(std::max(1u, batches)) {}
  unsigned window() const override { return batches_; }
  const char* reason() const override { return "fixed"; }

 private:
  unsigned batches_;
};

}  // namespace

std::shared_ptr<WindowPolicy> fixed_window(unsigned batches) {
  return std::make_shared<FixedWindow>(batches);
}

}  // namespace windlass::core
