#include <cstdlib>
#include <mutex>
#include <stdexcept>
#include <sys/stat.h>
#include <utility>

#include "net/openssl.h"
#include "net/tls.h"

namespace windlass::net {
namespace {

/// Which file it is and when it last changed. Another one in its place has another inode, be it by a rename or by a
/// symbolic link that points elsewhere.
struct FileState {
  bool exists = false;
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  std::int64_t changed = 0;  // ns

  bool operator==(const FileState&) const = default;
};

FileState look_at(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return {};
  return {true, status.st_dev, status.st_ino, status.st_size,
          std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec};
}

std::string from_environment(const char* variable, const char* otherwise) {
  const char* const value = std::getenv(variable);
  return value ? value : otherwise;
}

/// All that a load reads.
std::vector<std::string> paths_of(const TlsOptions& options) {
  std::vector<std::string> paths;
  const auto add = [&](const std::string& value) {
    if (!value.empty() && !is_pem(value)) paths.push_back(value);
  };
  add(options.certificate);
  add(options.key);
  for (const std::string& each : options.certificate_authorities) add(each);
  if (options.certificate_authorities.empty()) {
    add(from_environment(X509_get_default_cert_file_env(), X509_get_default_cert_file()));
    add(from_environment(X509_get_default_cert_dir_env(), X509_get_default_cert_dir()));
  }
  return paths;
}

}  // namespace

class TlsContext::Files {
 public:
  Files(const TlsOptions& options, bool is_server)
      : options_(options),
        is_server_(is_server),
        paths_(paths_of(options)),
        states_(look()),
        current_(Impl::load(options, is_server)) {}

  std::shared_ptr<const Impl> current() {
    const std::lock_guard lock(mutex_);
    // Looked at before they are read: what changes meanwhile is seen the next time.
    std::vector<FileState> states = look();
    if (states == states_) return current_;
    try {
      current_ = Impl::load(options_, is_server_);
      states_ = std::move(states);
      problem_.clear();
      tell(true, "the TLS files have changed, and new connections use the new ones");
    } catch (const std::runtime_error& error) {
      // It is tried again at each connection, and the same is told once.
      if (std::exchange(problem_, error.what()) != problem_)
        tell(false, "the TLS files have changed, but the old ones are used on: " + problem_);
    }
    return current_;
  }

 private:
  std::vector<FileState> look() const {
    std::vector<FileState> states;
    for (const std::string& path : paths_) states.push_back(look_at(path));
    return states;
  }

  void tell(bool used, const std::string& news) const {
    if (options_.on_change) options_.on_change(used, news);
  }

  const TlsOptions options_;
  const bool is_server_;
  const std::vector<std::string> paths_;
  std::mutex mutex_;
  std::vector<FileState> states_;  // of what is in use
  std::shared_ptr<const Impl> current_;
  std::string problem_;  // why the last load failed; empty: it did not
};

TlsContext TlsContext::client(const TlsOptions& options) {
  return TlsContext(std::make_shared<Files>(options, false));
}

TlsContext TlsContext::server(const TlsOptions& options) {
  if (options.certificate.empty()) throw std::runtime_error("certificate: a TLS server needs one, and its key");
  return TlsContext(std::make_shared<Files>(options, true));
}

std::shared_ptr<const TlsContext::Impl> TlsContext::current() const {
  return files_->current();
}

}  // namespace windlass::net
