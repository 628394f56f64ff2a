// Styles each kind of panel, on Grafana's Foundation SDK.
import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import {
  BigValueColorMode,
  BigValueGraphMode,
  type DataSourceRef,
  GraphTransform,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from "@grafana/grafana-foundation-sdk/common";
import {
  type Panel,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { DataqueryBuilder, PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as TableBuilder } from "@grafana/grafana-foundation-sdk/table";
import { PanelBuilder as TimeseriesBuilder } from "@grafana/grafana-foundation-sdk/timeseries";

/** The data source that the dashboard's variable of that name selects. */
export const datasource: DataSourceRef = { type: "prometheus", uid: `\${datasource}` };

interface Described {
  readonly title: string;
  readonly description: string;
  /** Columns of the 24 that a dashboard has; 8 unless told. */
  readonly span?: number;
}

export interface Query {
  readonly legend: string;
  /** PromQL. */
  readonly expr: string;
  /** Drawn below zero, as what goes out is below what comes in. */
  readonly isBelow?: boolean;
  /** Drawn dashed and red. */
  readonly isLimit?: boolean;
}

export interface Graph extends Described {
  readonly unit: string;
  readonly queries: readonly Query[];
  /** Upper end of the axis; otherwise it follows the data. */
  readonly max?: number;
}

export interface Stat extends Described {
  readonly unit: string;
  readonly expr: string;
  /** The value from which it is red; otherwise it has no colour. */
  readonly alarm?: number;
}

export interface Table extends Described {
  /** Its labels become columns. */
  readonly expr: string;
}

function target(query: Query, i: number): DataqueryBuilder {
  return new DataqueryBuilder()
    .datasource(datasource)
    .refId(String.fromCharCode(65 + i))
    .expr(query.expr)
    .legendFormat(query.legend);
}

/** Lines over time. */
export function graph({ title, description, span = 8, unit, queries, max }: Graph): Builder<Panel> {
  const panel = new TimeseriesBuilder()
    .title(title)
    .description(description)
    .datasource(datasource)
    .span(span)
    .height(8)
    .unit(unit)
    .lineWidth(1)
    .fillOpacity(8)
    .showPoints(VisibilityMode.Never)
    .stacking(new StackingConfigBuilder().mode(StackingMode.None))
    .legend(new VizLegendOptionsBuilder().showLegend(true))
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .targets(queries.map(target));
  if (!queries.some(({ isBelow }) => isBelow)) {
    panel.min(0);
  }
  if (max !== undefined) {
    panel.max(max);
  }
  for (const [i, { isBelow, isLimit }] of queries.entries()) {
    const refId = String.fromCharCode(65 + i);
    if (isBelow) {
      panel.overrideByQuery(refId, [{ id: "custom.transform", value: GraphTransform.NegativeY }]);
    }
    if (isLimit) {
      panel.overrideByQuery(refId, [
        { id: "custom.lineStyle", value: { fill: "dash", dash: [8, 8] } },
        { id: "custom.fillOpacity", value: 0 },
        { id: "color", value: { mode: "fixed", fixedColor: "red" } },
      ]);
    }
  }
  return panel;
}

/** One number, the latest, over its course. */
export function stat({ title, description, span = 8, unit, expr, alarm }: Stat): Builder<Panel> {
  const calm = { value: null, color: alarm === undefined ? "text" : "green" };
  const steps = alarm === undefined ? [calm] : [calm, { value: alarm, color: "red" }];
  return new StatBuilder()
    .title(title)
    .description(description)
    .datasource(datasource)
    .span(span)
    .height(4)
    .unit(unit)
    .colorMode(BigValueColorMode.Value)
    .graphMode(BigValueGraphMode.Area)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(["lastNotNull"]))
    .thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps))
    .withTarget(target({ legend: title, expr }, 0));
}

/** The labels of series as they are now, a row for each. */
export function table({ title, description, span = 8, expr }: Table): Builder<Panel> {
  const hidden = { Time: true, Value: true, __name__: true };
  return new TableBuilder()
    .title(title)
    .description(description)
    .datasource(datasource)
    .span(span)
    .height(8)
    .withTarget(target({ legend: "", expr }, 0).instant().format(PromQueryFormat.Table))
    .withTransformation({ id: "organize", options: { excludeByName: hidden } });
}
