#include <utility>

#include <windlass/elasticsearch.h>
#include <windlass/http.h>

#include "runtime/endpoint_workers.h"
#include "runtime/http_conversations.h"

namespace windlass {
namespace {

template <class Options>
WorkerFactory workers(Options options) {
  return [options = std::move(options)](runtime::Loop& loop) {
    return runtime::endpoint_workers(loop, options, runtime::default_port(options),
                                     [&](const net::HostPort& host) { return runtime::conversations(options, host); });
  };
}

}  // namespace

WorkerFactory http_workers(HttpOptions options) {
  return workers(std::move(options));
}

WorkerFactory elasticsearch_workers(ElasticsearchOptions options) {
  return workers(std::move(options));
}

}  // namespace windlass
