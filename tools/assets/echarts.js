// Only the parts of ECharts that Reefpoint draws with: lines, bars, graphs and what explains them. Canvas, because an SVG
// renderer writes style attributes, which the content security policy forbids.
export { init, use, getInstanceByDom } from "echarts/core";
import { use } from "echarts/core";
import { LineChart, BarChart, GraphChart } from "echarts/charts";
import {
  GridComponent,
  TooltipComponent,
  MarkLineComponent,
  MarkPointComponent,
  AriaComponent,
  DataZoomInsideComponent,
} from "echarts/components";
import { CanvasRenderer } from "echarts/renderers";

use([
  LineChart,
  BarChart,
  GraphChart,
  GridComponent,
  TooltipComponent,
  MarkLineComponent,
  MarkPointComponent,
  AriaComponent,
  DataZoomInsideComponent,
  CanvasRenderer,
]);
