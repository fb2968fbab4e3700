import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import '@xyflow/react/dist/style.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/canvas.css';
import './styles/designer.css';
import './styles/pages.css';
import './styles/charts.css';
import './styles/results.css';
import './styles/overview.css';
import { App } from './App';

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
