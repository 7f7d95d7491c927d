// Windlass: everything that a user includes.
#pragma once

#include <windlass/batch.h>
#include <windlass/client.h>
#include <windlass/elasticsearch.h>
#include <windlass/endpoints.h>
#include <windlass/error.h>
#include <windlass/event_buffer.h>
#include <windlass/file.h>
#include <windlass/http.h>
#include <windlass/load_balancer.h>
#include <windlass/lumberjack.h>
#include <windlass/redis.h>
#include <windlass/result.h>
#include <windlass/signal.h>
#include <windlass/statistics.h>
#include <windlass/tls.h>
#include <windlass/workers.h>
