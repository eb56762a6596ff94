import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags, type Attributes, type Span, type SpanContext } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { BatchSpanProcessor, ParentBasedSampler, TraceIdRatioBasedSampler, TracerProvider } from '@opentelemetry/sdk-trace'
import type { AccessRequest } from '../../access/access-request.ts'
import type { HeaderLines } from '../../edge/inbound.ts'
import type { Metrics } from '../metrics.ts'
import type { ForwardTrace, RequestTrace, Tracing } from '../tracing.ts'
import { CountedSpanExporter, CountedSpans } from './counted-spans.ts'
import { closeInTime, exportMsMax, resourceOf, type Receiver } from './receiver.ts'

/** Finished spans that wait or are being sent; further ones are dropped and counted. */
export const spansWaitingMax = 2048
const spansPerExportMax = 512
/** Longest text of an attribute; the rest is cut. */
export const attributeLengthMax = 256

export interface TracesTerms extends Receiver {
  /** Share of traces that are kept, 0 to 1. */
  readonly sample: number
  /** What an agent's own `traceparent` is good for. */
  readonly trust: 'none' | 'link' | 'parent'
  /** Whether upstreams are told. */
  readonly propagate: boolean
  readonly version: string
}

/**
 * Spans over OTLP/HTTP. They are queued within bounds and sent in the background: a receiver that is slow, away or hostile costs spans and nothing else.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/
 */
export function openTracing(terms: TracesTerms, metrics: Metrics): Tracing {
  const exporter = new OTLPTraceExporter({ url: terms.endpoint, headers: terms.headers, timeoutMillis: exportMsMax, concurrencyLimit: 2 })
  const spans = new CountedSpans(spansWaitingMax, metrics)
  const provider = new TracerProvider({
    resource: resourceOf(terms.version),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(terms.sample) }),
    spanLimits: { attributeValueLengthLimit: attributeLengthMax, attributeCountLimit: 32, linkCountLimit: 1, eventCountLimit: 0 },
    spanProcessors: [
      spans.before(
        new BatchSpanProcessor({
          exporter: new CountedSpanExporter(exporter, spans, terms.onExport),
          maxQueueSize: spansWaitingMax,
          maxExportBatchSize: spansPerExportMax,
          scheduledDelayMillis: 1000,
          exportTimeoutMillis: exportMsMax,
        }),
      ),
    ],
  })
  const tracer = provider.getTracer('sallyport', terms.version)
  return {
    begin: (inbound) => {
      const agents = terms.trust === 'none' ? undefined : agentContext(inbound.headers)
      const span = tracer.startSpan(
        'request',
        {
          kind: SpanKind.SERVER,
          attributes: { 'sallyport.request.id': inbound.id, 'http.request.method': knownMethod(inbound.method) },
          links: agents && terms.trust === 'link' ? [{ context: agents }] : [],
        },
        agents && terms.trust === 'parent' ? trace.setSpanContext(ROOT_CONTEXT, agents) : ROOT_CONTEXT,
      )
      const within = trace.setSpan(ROOT_CONTEXT, span)
      const child = (name: string, kind: SpanKind, attributes: Attributes): Span => tracer.startSpan(name, { kind, attributes }, within)
      return requestTrace(span, child, terms.propagate)
    },
    close: () => closeInTime(() => provider.shutdown()),
  }
}

function requestTrace(span: Span, child: (name: string, kind: SpanKind, attributes: Attributes) => Span, propagate: boolean): RequestTrace {
  return {
    deciding: (request) => {
      span.setAttributes({ 'sallyport.tenant': request.principal.tenant, 'sallyport.agent': request.principal.agent })
      span.setAttributes({ 'sallyport.upstream': request.upstream, 'sallyport.protocol': request.context.protocol })
      const deciding = child('decide', SpanKind.INTERNAL, { 'sallyport.upstream': request.upstream })
      return {
        end: (verdict) => {
          const attributes: Attributes = { 'sallyport.decision': verdict.kind }
          if (verdict.kind === 'permit' || verdict.kind === 'hold' || isNamedByOperator(request)) attributes['sallyport.action'] = request.action
          if ('problem' in verdict) attributes['sallyport.problem'] = verdict.problem.code
          span.setAttributes(attributes)
          deciding.setAttributes(attributes).end()
        },
      }
    },
    forwarding: (request) => forwardTrace(child('forward', kindOf(request), { 'sallyport.upstream': request.upstream }), propagate),
    refused: ({ caller, code }) => {
      if (caller.tenant !== undefined) span.setAttribute('sallyport.tenant', caller.tenant)
      if (caller.agent !== undefined) span.setAttribute('sallyport.agent', caller.agent)
      span.setAttribute('sallyport.problem', code)
    },
    end: (answer, code) => {
      span.setAttribute('http.response.status_code', answer.status)
      if (code !== 'answered') span.setAttribute('sallyport.problem', code)
      if (answer.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
      span.end()
    },
  }
}

function forwardTrace(span: Span, propagate: boolean): ForwardTrace {
  const { traceId, spanId, traceFlags } = span.spanContext()
  return {
    traceparent: propagate ? `00-${traceId}-${spanId}-0${traceFlags & TraceFlags.SAMPLED}` : undefined,
    end: ({ result, status, code, requestBytes, answerBytes }) => {
      const attributes = {
        'sallyport.result': result,
        'sallyport.problem': code,
        'http.response.status_code': status,
        'http.request.body.size': requestBytes,
        'http.response.body.size': answerBytes,
      }
      for (const [name, value] of Object.entries(attributes)) if (value !== undefined) span.setAttribute(name, value)
      if (result === 'failed' || result === 'refused' || (status ?? 0) >= 400) span.setStatus({ code: SpanStatusCode.ERROR })
      span.end()
    },
  }
}

/** What the gateway does for the agent itself calls nobody. */
function kindOf({ call }: AccessRequest): SpanKind {
  return call.kind === 'gateway' || call.kind === 'client-login' ? SpanKind.INTERNAL : SpanKind.CLIENT
}

/** The names of MCP's tools and methods are the agent's words: those of a call that was refused can be anything, a secret too. */
function isNamedByOperator({ context }: AccessRequest): boolean {
  return context.protocol !== 'mcp'
}

const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])

/** @see https://opentelemetry.io/docs/specs/semconv/http/http-spans/ for `_OTHER` */
function knownMethod(method: string): string {
  return methods.has(method) ? method : '_OTHER'
}

/** Ids and a flag, all in hexadecimal; `tracestate` is free text, and left alone. @see W3C Trace Context section 3.2.2 */
const traceparent = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/

function agentContext(headers: HeaderLines): SpanContext | undefined {
  const given = headers.filter(([name]) => name === 'traceparent')
  const [, traceId, spanId, flags] = (given.length === 1 ? traceparent.exec(given[0]?.[1] ?? '') : null) ?? []
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED, isRemote: true }
}
